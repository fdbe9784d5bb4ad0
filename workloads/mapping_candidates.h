#pragma once
// The layouts that a rectangle of PEs allows, without regard to memory or time.

#include <vector>

#include "workloads/layout.h"
#include "workloads/model_shape.h"
#include "workloads/run_spec.h"

namespace wafersim::workloads {

// Every layout that differs in micro-batches (training.batch / layout.batch), lanes, t or h (of a head, of the residual stream), with the
// fewest rows for its t and the fewest columns for its h:
//   heads * columns_per_head <= columns, lanes * columns <= width, columns <= rows, samples_per_lane * rows_per_sequence <= rows.
// No lane is without a sample unless mapping.lanes says so. Empty when there is none. Error(config) for pins that no mesh could follow.
std::vector<Layout> candidate_layouts(const RunSpec& run, const ModelShape& shape);

}  // namespace wafersim::workloads
