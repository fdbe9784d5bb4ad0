#pragma once
// What a run's rectangle is too small for: the tile whose step fits a PE's SRAM, and the mesh that it needs. And what it is large enough
// for: the largest batch, the longest sequence. `graph`: of all layers, with as little kept as the run allows.

#include <optional>

#include "models/machine.h"
#include "workloads/autodiff.h"
#include "workloads/mapping_candidates.h"

namespace wafersim::workloads {

// Layers whose activations are computed again, so that as little is kept as mapping.recompute allows.
Recompute least_kept(const RunSpec& run, const ModelShape& shape);

// The layout of one lane with the fewest PEs whose step fits SRAM (memory_map), on as many rows as it needs; none when no mesh has one.
std::optional<Layout> smallest_fitting_layout(const RunSpec& run, const ModelShape& shape, const TrainingGraph& graph,
                                              const models::MachineSpec& machine);

// The most samples of training.sequence tokens that the rectangle of one system holds at once, as mapping.* pins it: the same number in
// every lane. Further samples need further micro-batches. Nothing when it does not hold one.
std::optional<Layout> largest_batch_layout(const RunSpec& run, const ModelShape& shape, const TrainingGraph& graph,
                                           const models::MachineSpec& machine);
// The longest sequence of which it holds one sample a lane, whatever training.sequence and the model's positions are.
std::optional<Layout> longest_sequence_layout(const RunSpec& run, const ModelShape& shape, const TrainingGraph& graph,
                                              const models::MachineSpec& machine);

}  // namespace wafersim::workloads
