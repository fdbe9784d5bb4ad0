#include "workloads/mapping_memory.h"

#include <vector>

#include "workloads/call_outline.h"

namespace wafersim::workloads {
namespace {

std::int64_t pitch_of(const Layout& layout) { return (std::int64_t{layout.tokens_per_pe} + 3) / 4 * 4; }

std::int64_t tensor_bytes(Features features, const LoweringSpec& spec) {
  if (features == Features::statistic) return pitch_of(spec.layout) * 4;
  return tile_rows(features, spec.shape, spec.layout) * pitch_of(spec.layout) * sim::bytes_of(spec.type);
}

// The largest array of an op's work area.
std::int64_t work_bytes(const TrainingOp& op, const LoweringSpec& spec) {
  const Layout& layout = spec.layout;
  const std::int64_t own_keys = (layout.tokens_per_pe + layout.columns_per_head - 1) / layout.columns_per_head;
  switch (op.kind) {
    case TrainingKind::attention:
    case TrainingKind::attention_gradient: return own_keys * pitch_of(layout) * 4;
    case TrainingKind::loss:
    case TrainingKind::loss_gradient: return spec.loss_outputs_per_pe * pitch_of(layout) * 4;
    default: return 0;
  }
}

}  // namespace

MemoryShortage find_shortage(const LoweringSpec& spec, const TrainingGraph& graph, std::int64_t sram_bytes) {
  const std::vector<int> last = last_uses(graph);
  std::vector<std::vector<int>> ends(graph.ops.size());  // tensors by the op that uses them last
  for (std::size_t tensor = 0; tensor < last.size(); ++tensor)
    if (last[tensor] >= 0) ends[static_cast<std::size_t>(last[tensor])].push_back(static_cast<int>(tensor));
  const auto bytes_of = [&](int tensor) { return tensor_bytes(graph.tensors[static_cast<std::size_t>(tensor)].features, spec); };
  std::int64_t in_use = 0;
  for (std::size_t i = 0; i < graph.ops.size(); ++i) {
    const TrainingOp& op = graph.ops[i];
    for (const int tensor : op.outputs) {
      if (in_use + bytes_of(tensor) > sram_bytes)
        return {graph.tensors[static_cast<std::size_t>(tensor)].name, bytes_of(tensor), in_use, false};
      in_use += bytes_of(tensor);
    }
    const std::int64_t work = work_bytes(op, spec);
    const bool of_the_loss = op.kind == TrainingKind::loss || op.kind == TrainingKind::loss_gradient;
    if (in_use + work > sram_bytes) return {op.name + ": work", work, in_use, of_the_loss};
    for (const int tensor : ends[i]) in_use -= bytes_of(tensor);
  }
  return {};
}

}  // namespace wafersim::workloads
