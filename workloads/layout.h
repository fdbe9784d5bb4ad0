#pragma once
// Where a tensor's elements live on a wafer: tokens over rows, features over columns, samples over lanes (design, section 6).
// A wafer is lanes * columns columns wide and rows high. A tile is [features_per_pe][tokens_per_pe]: token index fastest.

#include <vector>

#include "sim/dtype.h"

namespace wafersim::workloads {

constexpr int ceil_divide(int a, int b) { return (a + b - 1) / b; }
// 32-bit words that carry values of a type: fp16 two a word.
constexpr int words_of(int values, sim::Dtype type) { return sim::bytes_of(type) == 2 ? ceil_divide(values, 2) : values; }

// The place of features 0..count-1 of one tensor on the columns of a lane. Padded places hold -1; in a column they come last.
struct FeatureMap {
  int columns = 0;
  int per_column = 0;        // h of this tensor
  std::vector<int> feature;  // [column * per_column + i] -> global feature or -1

  int at(int column, int i) const { return feature[static_cast<std::size_t>(column) * per_column + i]; }
  int valid(int column) const;  // how many places of a column are not padding
};

// Contiguous ascending blocks of ceil(count / columns).
FeatureMap contiguous_features(int count, int columns);
// The maps of `parts` tensors of `map` side by side in every column (gate and up of one linear): part p's feature f is p * stride + f.
FeatureMap stack_features(const FeatureMap& map, int parts, int stride);
// Features first, ..., first + columns * per_column - 1, contiguous; those from `count` on are padding. A chunk of the vocabulary.
FeatureMap chunk_features(int count, int first, int columns, int per_column);

// What every kernel knows about the mesh. rows_per_sequence * samples_per_lane <= rows; further rows hold only padding.
struct Layout {
  int lanes = 1;
  int columns = 1;  // C, of one lane: those of the heads, then, without heads that share keys, any number that hold no head
  int rows = 1;     // R
  int batch = 1;
  int sequence = 1;
  int heads = 1;
  int columns_per_head = 1;
  int samples_per_lane = 1;   // ceil(batch / lanes); sample b lives in lane b / samples_per_lane
  int rows_per_sequence = 1;  // token p of a sequence lives in row p mod rows_per_sequence of its rows, slot p / rows_per_sequence
  int tokens_per_pe = 1;      // t >= ceil(sequence / rows_per_sequence)

  int head_columns() const { return heads * columns_per_head; }
  // Elements from a tile's row to the next: rows keep one bank phase, but the shortest, whose padding would double a tile.
  int pitch() const { return tokens_per_pe <= 2 ? 2 : ceil_divide(tokens_per_pe, 4) * 4; }
  int feeder_row(int column) const { return column * rows / columns; }  // f(c); needs columns <= rows
  // Where its gradients leave: e(c) = f(c) of an even column, ascending with the columns; of the odd ones, mirrored, descending.
  int gradient_row(int column) const { return feeder_row(column % 2 ? columns / 2 * 2 - column : column); }
  bool row_in_sequence(int row) const { return row < samples_per_lane * rows_per_sequence; }
  // Slots of row r of a sequence that hold its tokens; the others are padding.
  int true_slots(int r) const { return sequence / rows_per_sequence + (r < sequence % rows_per_sequence ? 1 : 0); }
  // Token held by a slot: index of the sample in the batch, position in the sequence; sample -1 when the slot is padding.
  struct Token {
    int sample;
    int position;
  };
  Token token(int lane, int row, int slot) const;
};

}  // namespace wafersim::workloads
