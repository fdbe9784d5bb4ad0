#include "workloads/kernels/linear_plan.h"

#include "models/sram_allocator.h"
#include "workloads/kernels/kernels.h"
#include "workloads/kernels/streams.h"

namespace wafersim::workloads {

LinearPlan linear_plan(const Layout& layout, int inputs, int outputs, sim::Dtype type, const models::SramSpec& sram) {
  require_feeder_rows(layout);
  LinearPlan made;
  made.inputs = contiguous_features(inputs, layout.columns);
  made.outputs = contiguous_features(outputs, layout.columns);
  models::SramAllocator allocator(sram.bytes);
  KernelBuilder::Tables tables;
  tables.discard = allocator.allocate("completion words", 8);
  tables.pe_words = allocator.allocate("PE words", 4 * pe_word_count);
  tables.arguments = allocator.allocate("arguments", 4 * KernelBuilder::most_arguments);
  models::Assembler assembler;
  KernelBuilder k(assembler, layout, type, tables);
  models::WaferPlan& plan = made.plan;
  plan.width = layout.lanes * layout.columns;
  plan.height = layout.rows;
  emit_control(k, plan.width, plan.height);
  const int task = emit_linear(k);
  plan.programs.push_back(assembler.finish());
  allocator.allocate("code and descriptors", models::program_bytes(plan.programs[0], sram.instruction_bytes, sram.descriptor_bytes));

  made.row_elements = k.pitch();
  made.x_address = allocator.allocate("x", made.inputs.per_column * k.tile_row_bytes());
  made.y_address = allocator.allocate("y", made.outputs.per_column * k.vector_bytes());  // rounded in place
  const int partial = allocator.allocate("partial", k.vector_bytes(), 4);
  const std::vector<std::int32_t> arguments = {
      made.x_address,
      made.inputs.per_column,
      partial,
      made.y_address,
      made.outputs.per_column,
      made.y_address,
      0,
      static_cast<std::int32_t>(weight_words(layout, type, made.inputs.per_column, made.outputs.per_column))};
  StreamBuilder stream(layout, type);
  stream.start(task, arguments);
  stream.linear_weights(made.inputs, made.outputs, [outputs](int i, int j) { return static_cast<std::uint32_t>(i * outputs + j); });
  const FeatureMap& residual = made.inputs;
  plan.routes = wafer_routes(layout, words_of(residual.per_column, type));
  plan.pe_class.assign(static_cast<std::size_t>(plan.width) * static_cast<std::size_t>(plan.height), 0);
  plan.pe_words_address = tables.pe_words;
  plan.words_per_pe = pe_word_count;
  plan.pe_words = pe_words(layout, residual, outputs, made.outputs.per_column);
  plan.start_task = task_setup;
  plan.sram = allocator.map();
  models::KernelCall call;
  call.kernel = "linear";
  call.phase = "forward";
  call.stream = stream.take();
  plan.calls.push_back(std::move(call));
  return made;
}

}  // namespace wafersim::workloads
