#include "workloads/kernels/lower_alone.h"

#include "workloads/kernels/lowering.h"

namespace wafersim::workloads {

// A sum of one row of a tile: nothing leaves the PE.
void Lowering::pause(const TrainingOp& op) {
  const int tile = scratch("pause", tile_bytes(1), 0);
  call(op, tasks_.add, "residual", "pause", {{"a", tile}, {"b", tile}, {"y", tile}, {"features", 1}});
  free_scratch();
}

void Lowering::place_alone(const TrainingOp& op) {
  place_tables();
  for (const int t : op.inputs)
    if (address(t) < 0) place_tensor(t);
  place_outputs(op);
  if (op.kind == TrainingKind::loss_gradient) targets_ = allocator_.allocate("targets", vector_bytes(), 0);  // kept by the loss
  pause(op);
  lower_op(op);
  free_scratch();
  pause(op);
}

models::WaferPlan lower_alone(const LoweringSpec& spec, const TrainingGraph& graph, std::size_t op, const models::SramSpec& sram) {
  Lowering lowering(spec, graph, sram);
  lowering.place_alone(graph.ops[op]);
  return lowering.plan();
}

}  // namespace wafersim::workloads
