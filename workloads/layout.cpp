#include "workloads/layout.h"

#include <cstddef>

namespace wafersim::workloads {

int FeatureMap::valid(int column) const {
  int count = 0;
  for (int i = 0; i < per_column; ++i) count += at(column, i) >= 0;
  return count;
}

FeatureMap contiguous_features(int count, int columns) { return chunk_features(count, 0, columns, ceil_divide(count, columns)); }

FeatureMap stack_features(const FeatureMap& map, int parts, int stride) {
  // Padding stays last only within a part; kernels address the parts of a stacked tensor separately.
  FeatureMap out{map.columns, map.per_column * parts, {}};
  for (int column = 0; column < map.columns; ++column)
    for (int part = 0; part < parts; ++part)
      for (int i = 0; i < map.per_column; ++i) {
        const int f = map.at(column, i);
        out.feature.push_back(f < 0 ? -1 : part * stride + f);
      }
  return out;
}

FeatureMap chunk_features(int count, int first, int columns, int per_column) {
  FeatureMap map{columns, per_column, {}};
  for (int f = first; f < first + columns * per_column; ++f) map.feature.push_back(f < count ? f : -1);
  return map;
}

Layout::Token Layout::token(int lane, int row, int slot) const {
  const int in_lane = row / rows_per_sequence;
  const int sample = lane * samples_per_lane + in_lane;
  const int position = slot * rows_per_sequence + row % rows_per_sequence;
  if (in_lane >= samples_per_lane || sample >= batch || position >= sequence) return {-1, -1};
  return {sample, position};
}

}  // namespace wafersim::workloads
