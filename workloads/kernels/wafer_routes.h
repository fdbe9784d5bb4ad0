#pragma once
// The static routes of a layout, and the integers by which PEs differ.

#include <vector>

#include "fabric/route.h"
#include "memoryx/stream.h"
#include "workloads/layout.h"

namespace wafersim::workloads {

// Whatever streams weights or gradients needs a feeder row for each column: Error(invariant) where there are fewer rows than columns.
void require_feeder_rows(const Layout& layout);

// token_words: words a column takes of one token's row (color E0). Gradients have no way out where columns share a collector row.
fabric::RouteMap wafer_routes(const Layout& layout, int token_words);

// Where column c's weights enter, on color weight_color(c), and where its gradients leave, on color gradient_color(c).
memoryx::Port weight_port(const Layout& layout, int column);
fabric::Color weight_color(int column);
memoryx::Port gradient_port(const Layout& layout, int column);
fabric::Color gradient_color(int column);

// Words of a PE's parameter table.
enum PeWord : int {
  word_column,         // c, in its lane
  word_column_before,  // (c - 1) mod C
  word_column_after,   // (c + 1) mod C
  word_row_in,         // colors of the row ring
  word_row_out,
  word_row_place,    // Place in the chain of the lane's columns
  word_head_column,  // k, in its head
  word_head_before,
  word_head_after,
  word_head_in,  // colors of the head's ring
  word_head_out,
  word_head_place,
  word_feeder,        // color of its weights if it is their feeder, else -1
  word_column_in,     // colors of the column sum: from the PE before, -1 in the first
  word_column_out,    // to the next one or out of the wafer
  word_sequence_row,  // r, in its sequence; -1 outside any and in a column without a head
  word_sequence_in,   // colors of the sequence's ring
  word_sequence_out,
  word_residual_features,  // true features of its column in the residual stream
  word_vocabulary_first,   // its first output in chunk 0 of the vocabulary
  word_vocabulary_last,    // true outputs of its column in the last chunk
  word_head_pairs,         // pairs of features of its column that are rotated
  word_row_position,       // r as fp32
  word_first_slice,        // the first column of the lane that holds a slice of its keys
  word_x,                  // on the mesh
  word_y,
  pe_word_count,
};

// Place in a chain: the first sends, those between add and pass on, the last adds and keeps. Alone: nothing to send.
enum Place : int { place_first, place_middle, place_last, place_alone };

// [pe * (pe_word_count + further) + word], the `further` words of a PE +0; vocabulary of `outputs` true outputs in chunks of columns *
// chunk_outputs.
std::vector<std::int32_t> pe_words(const Layout& layout, const FeatureMap& residual, int outputs, int chunk_outputs, int further = 0);

}  // namespace wafersim::workloads
