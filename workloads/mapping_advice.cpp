#include "workloads/mapping_advice.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "workloads/kernels/lower.h"

namespace wafersim::workloads {
namespace {

constexpr int largest_extent = 4096;                                     // of a mesh that a configuration may ask for
constexpr int most_sequence = std::numeric_limits<std::int32_t>::max();  // tokens that are numbered

// The vocabulary in ever smaller chunks until the step fits or chunks are not what is in the way. At the loss every layer's input is there.
bool fits(const Layout& layout, const RunSpec& run, const ModelShape& shape, const TrainingGraph& graph, const models::SramSpec& sram) {
  const std::int64_t row_bytes = std::int64_t{layout.pitch()} * sim::bytes_of(run.dtype);
  if (shape.layers * tile_rows(Features::residual, shape, layout) * row_bytes > sram.bytes) return false;
  for (int outputs = ceil_divide(shape.vocabulary, layout.columns);; outputs = ceil_divide(outputs, 2)) {
    const MemoryMap map = memory_map({shape, layout, outputs, run.dtype}, graph, sram);
    if (map.refusal.empty()) return true;
    if (!map.loss_refused || outputs == 1) return false;
  }
}

// Tokens a PE that a sequence may have in the fewest rows, ascending.
std::vector<int> token_shares(int sequence, int most_rows) {
  std::vector<int> shares;
  for (int rows = std::min(sequence, most_rows); rows > 0; --rows) {
    const int t = ceil_divide(sequence, rows);
    if (shares.empty() || shares.back() != t) shares.push_back(t);
  }
  return shares;
}

// Of the layouts that `tiles` gives for a choice of columns, ascending in t and in size, the largest that fits.
template <class Tiles, class Size>
std::optional<Layout> largest(const RunSpec& run, const ModelShape& shape, const TrainingGraph& graph, const models::SramSpec& sram,
                              Tiles&& tiles, Size&& size) {
  std::optional<Layout> best;
  const auto fitting = [&](const Layout& layout) { return fits(layout, run, shape, graph, sram); };
  for (const ColumnChoice& choice : column_choices(run, shape)) {
    std::vector<Layout> larger;
    for (const Layout& layout : tiles(choice))
      if (!best || size(layout) > size(*best)) larger.push_back(layout);
    if (larger.empty() || !fitting(larger.front())) continue;
    best = *(std::partition_point(larger.begin(), larger.end(), fitting) - 1);
  }
  return best;
}

}  // namespace

Recompute least_kept(const RunSpec& run, const ModelShape& shape) {
  return run.mapping.recompute.value_or(recompute_first(shape.layers, shape.layers));
}

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

std::optional<Layout> largest_batch_layout(const RunSpec& run, const ModelShape& shape, const TrainingGraph& graph,
                                           const models::MachineSpec& machine) {
  const fabric::Rectangle& part = run.mapping.rectangle;
  const int pinned = run.mapping.tokens_per_pe, sequence = run.training.sequence;
  const std::vector<int> shares = pinned > 0 ? std::vector<int>{pinned} : token_shares(sequence, part.height);
  const auto tiles = [&](const ColumnChoice& choice) {
    std::vector<Layout> layouts;
    const int lanes = run.mapping.lanes > 0 ? run.mapping.lanes : part.width / choice.columns;
    if (std::int64_t{lanes} * choice.columns > part.width) return layouts;
    for (const int t : shares)
      if (const int samples = part.height / ceil_divide(sequence, t); samples > 0)
        layouts.push_back(make_layout(run, shape, choice, lanes, samples, t));
    return layouts;
  };
  return largest(run, shape, graph, machine.sram, tiles, [](const Layout& layout) { return layout.batch; });
}

std::optional<Layout> longest_sequence_layout(const RunSpec& run, const ModelShape& shape, const TrainingGraph& graph,
                                              const models::MachineSpec& machine) {
  const fabric::Rectangle& part = run.mapping.rectangle;
  const int pinned = run.mapping.tokens_per_pe, lanes = std::max(run.mapping.lanes, 1);
  const auto tiles = [&](const ColumnChoice& choice) {
    std::vector<Layout> layouts;
    if (std::int64_t{lanes} * choice.columns > part.width) return layouts;
    const std::int64_t a_token = std::int64_t{shape.layers} * ceil_divide(shape.width, choice.columns) * sim::bytes_of(run.dtype);
    const int most = static_cast<int>(std::min<std::int64_t>(machine.sram.bytes / a_token, most_sequence / part.height));
    const int first = std::max(pinned, 1), last = pinned > 0 ? std::min(pinned, most) : most;
    RunSpec longer = run;
    for (int t = first; t <= last; ++t) {
      longer.training.sequence = t * part.height;
      layouts.push_back(make_layout(longer, shape, choice, lanes, 1, t));
    }
    return layouts;
  };
  return largest(run, shape, graph, machine.sram, tiles, [](const Layout& layout) { return layout.sequence; });
}

}  // namespace wafersim::workloads
