#pragma once
// The layouts that a rectangle of PEs allows, without regard to memory or time.

#include <vector>

#include "workloads/layout.h"
#include "workloads/model_shape.h"
#include "workloads/run_spec.h"

namespace wafersim::workloads {

struct ColumnChoice {
  int columns_per_head, columns;
  int features;  // a PE, of a head or, where columns without heads come behind, of the residual stream: by which it is pinned
};
// All that mapping.features_per_pe can be, the largest first: what heads in whole columns give, with or without columns behind them.
std::vector<int> feature_choices(const ModelShape& shape);
// Of mapping.features_per_pe on at most as many columns as the rectangle has columns and rows.
std::vector<ColumnChoice> column_choices(const RunSpec& run, const ModelShape& shape);

// t tokens of a sequence a PE, in lanes of so many samples each; on all rows of the rectangle.
Layout make_layout(const RunSpec& run, const ModelShape& shape, const ColumnChoice& choice, int lanes, int samples_per_lane, int t);

// Every layout that differs in micro-batches (training.batch / layout.batch), lanes, t or h (of a head, of the residual stream), with the
// fewest rows for its t and the fewest columns for its h:
//   heads * columns_per_head <= columns, lanes * columns <= width, columns <= rows, samples_per_lane * rows_per_sequence <= rows.
// No lane is without a sample unless mapping.lanes says so. Empty when there is none.
std::vector<Layout> candidate_layouts(const RunSpec& run, const ModelShape& shape);

}  // namespace wafersim::workloads
