#pragma once
// What a run's rectangle is too small for: the tile whose step fits a PE's SRAM, and the mesh that it needs.

#include <optional>

#include "models/machine.h"
#include "workloads/autodiff.h"
#include "workloads/mapping_candidates.h"

namespace wafersim::workloads {

// The layout of one lane with the fewest PEs whose step fits SRAM (memory_map), on as many rows as it needs; none when no mesh has one.
std::optional<Layout> smallest_fitting_layout(const RunSpec& run, const ModelShape& shape, const TrainingGraph& graph,
                                              const models::MachineSpec& machine);

}  // namespace wafersim::workloads
