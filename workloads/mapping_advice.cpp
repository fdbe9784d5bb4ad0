#include "workloads/mapping_advice.h"

#include <algorithm>
#include <vector>

#include "workloads/kernels/lower.h"

namespace wafersim::workloads {
namespace {

constexpr int largest_extent = 4096;  // of a mesh that a configuration may ask for

// The vocabulary in ever smaller chunks until the step fits or chunks are not what is in the way.
bool fits(const Layout& layout, const RunSpec& run, const ModelShape& shape, const TrainingGraph& graph, const models::SramSpec& sram) {
  for (int outputs = ceil_divide(shape.vocabulary, layout.columns);; outputs = ceil_divide(outputs, 2)) {
    const MemoryMap map = memory_map({shape, layout, outputs, run.dtype}, graph, sram);
    if (map.refusal.empty()) return true;
    if (!map.loss_refused || outputs == 1) return false;
  }
}

}  // namespace

std::optional<Layout> smallest_fitting_layout(const RunSpec& run, const ModelShape& shape, const TrainingGraph& graph,
                                              const models::MachineSpec& machine) {
  RunSpec any = run;
  any.mapping = {};
  any.mapping.rectangle = {0, 0, largest_extent, largest_extent};
  any.mapping.lanes = 1;
  std::vector<Layout> layouts = candidate_layouts(any, shape);
  for (Layout& layout : layouts) layout.rows = std::max(layout.columns, layout.samples_per_lane * layout.rows_per_sequence);
  const auto pes = [](const Layout& layout) { return std::int64_t{layout.columns} * layout.rows; };
  std::stable_sort(layouts.begin(), layouts.end(), [&](const Layout& a, const Layout& b) { return pes(a) < pes(b); });
  const auto found =
      std::find_if(layouts.begin(), layouts.end(), [&](const Layout& layout) { return fits(layout, run, shape, graph, machine.sram); });
  if (found == layouts.end()) return {};
  return *found;
}

}  // namespace wafersim::workloads
