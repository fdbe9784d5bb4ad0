#pragma once
// The places of a head's features in its columns. What a rotation mixes shares a PE: the partners of pair p of a column are at the places
// 2p and 2p + 1, pairs before features that are not rotated. Partners are neighbours (gptj) or half the rotated features apart.

#include <vector>

#include "workloads/model_shape.h"

namespace wafersim::workloads {

struct HeadMap {
  int columns = 1;           // of a head
  int rows = 1;              // places a column
  int pairs_per_column = 0;  // most of any column; column c holds pairs c * pairs_per_column, ...
  int pairs = 0;             // of the head: rotary / 2
  std::vector<int> feature;  // [column * rows + i]: 0 ... head - 1, or -1

  int at(int column, int i) const {
    return feature[static_cast<std::size_t>(column) * static_cast<std::size_t>(rows) + static_cast<std::size_t>(i)];
  }
  int pairs_of(int column) const;
};

// The fewest places a column that take the head.
int head_rows(const ModelShape& shape, int columns_per_head);
HeadMap head_map(const ModelShape& shape, int columns_per_head);

// What a position is multiplied by for each pair: rotary_base ^ (-2 pair / rotary), rounded to fp32 from fp64.
std::vector<float> rotary_frequencies(const ModelShape& shape);

}  // namespace wafersim::workloads
