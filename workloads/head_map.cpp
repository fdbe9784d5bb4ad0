#include "workloads/head_map.h"

#include <algorithm>

#include "workloads/layout.h"

namespace wafersim::workloads {

int HeadMap::pairs_of(int column) const { return std::clamp(pairs - column * pairs_per_column, 0, pairs_per_column); }

int head_rows(const ModelShape& shape, int columns_per_head) {
  const auto share = [&](int count) { return ceil_divide(count, columns_per_head); };
  return std::max(share(shape.head()), 2 * share(shape.rotary / 2));
}

HeadMap head_map(const ModelShape& shape, int columns_per_head) {
  HeadMap map;
  map.columns = columns_per_head;
  map.rows = head_rows(shape, columns_per_head);
  map.pairs_per_column = map.rows / 2;
  map.pairs = shape.rotary / 2;
  int plain = shape.rotary;  // the next feature that is not rotated
  for (int column = 0; column < map.columns; ++column) {
    const int paired = 2 * map.pairs_of(column);
    for (int i = 0; i < map.rows; ++i) {
      if (i < paired) {
        const int pair = column * map.pairs_per_column + i / 2;
        map.feature.push_back(shape.family == Family::gptj ? 2 * pair + i % 2 : pair + i % 2 * map.pairs);
      } else {
        map.feature.push_back(plain < shape.head() ? plain++ : -1);
      }
    }
  }
  return map;
}

std::vector<float> rotary_frequencies(const ModelShape& shape) {
  const int pairs = shape.rotary / 2;
  // root ^ pairs = base, by bisection: the same bits everywhere, which pow does not promise.
  double low = 1.0, high = std::max(shape.rotary_base, 1.0);
  const auto power = [&](double x, int n) {
    double y = 1.0;
    for (; n > 0; --n) y *= x;
    return y;
  };
  for (int i = 0; i < 100; ++i) {
    const double middle = 0.5 * (low + high);
    (power(middle, pairs) < shape.rotary_base ? low : high) = middle;
  }
  std::vector<float> out;
  for (int pair = 0; pair < pairs; ++pair) out.push_back(static_cast<float>(1.0 / power(low, pair)));
  return out;
}

}  // namespace wafersim::workloads
