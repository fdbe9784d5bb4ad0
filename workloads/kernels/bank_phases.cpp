#include "workloads/kernels/bank_phases.h"

#include <cstddef>

namespace wafersim::workloads {

// Activations in phase 0 and gradients in phase 4 are read together without conflict; the second operand of a sum takes the other phase.
std::vector<int> bank_phases(const TrainingGraph& graph) {
  std::vector<int> phases(graph.tensors.size());
  for (const TrainingOp& op : graph.ops)
    for (const int t : op.outputs) phases[static_cast<std::size_t>(t)] = op.backward && !op.recompute ? 4 : 0;
  for (const TrainingOp& op : graph.ops)
    if (op.kind == TrainingKind::residual || op.kind == TrainingKind::gradient_sum)
      phases[static_cast<std::size_t>(op.inputs[1])] = 4 - phases[static_cast<std::size_t>(op.inputs[0])];
  return phases;
}

}  // namespace wafersim::workloads
