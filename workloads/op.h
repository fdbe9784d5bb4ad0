#pragma once
// The vocabulary of the model graph and of the training graph: what an op is, what a tensor between two ops is.

#include <string>
#include <vector>

#include "workloads/layout.h"
#include "workloads/model_shape.h"

namespace wafersim::workloads {

// What a token holds of a tensor. All but `statistic` are tiles in the run's storage type.
enum class Features {
  residual,     // width features, contiguous over the columns of a lane
  qkv,          // queries, keys and values of every query head side by side in every column, each by heads
  grouped_qkv,  // queries by heads; keys and values once for the heads that share them, spread over the columns of all of these
  heads,        // a head in whole columns (head_map.h)
  inner,        // features between the linears of the MLP, contiguous
  gate_up,      // two of inner side by side in every column
  statistic,    // one fp32 value a token, the same in every column that uses it
};

// Where the features of a tensor live, numbered as the outputs of the linear op that makes it; `statistic` has one place a column, of no
// feature.
FeatureMap feature_map(Features features, const ModelShape& shape, const Layout& layout);
// Rows of a PE's tile: per_column of feature_map.
int tile_rows(Features features, const ModelShape& shape, const Layout& layout);

// Features without padding.
int feature_count(Features features, const ModelShape& shape);

// Grouped keys (and values): the rows of each column of a head are cut into slices, one for each head of the group; slice s of the head's
// column k lies in column k * group + s of the group's columns, counted from its first.
struct KeySlices {
  int group = 1;    // query heads that share keys
  int columns = 1;  // of a group
  int rows = 1;     // of a slice; the last one of a column may hold padding
  int head_column(int column) const { return column % columns / group; }
  int first_row(int column) const { return column % columns % group * rows; }
};
KeySlices key_slices(const ModelShape& shape, const Layout& layout);

// Ops of the model. Each has one output tensor but `loss`, whose result is the scalar that training minimises.
enum class OpKind {
  embedding,   // () -> x; parameters: token rows, position rows where there are any
  layer_norm,  // x -> y; parameters: gain, bias
  rms_norm,    // x -> y; parameter: gain
  linear,      // x -> y; parameters: matrices side by side along the outputs, then as many biases or none (linear_place.h)
  share_keys,  // grouped qkv -> qkv: every query head gets the keys and values of its group
  rotary,      // qkv -> qkv; queries and keys rotated by their positions
  attention,   // qkv -> o; causal
  gelu,        // x -> y; tanh form
  gelu_erf,    // x -> y; exact form
  relu,        // x -> y
  swiglu,      // gate and up -> silu(gate) * up
  residual,    // x, branch -> x + branch
  loss,        // x -> (); unembedding and softmax cross-entropy, one op because logits are never stored; parameters: matrix
               // [vocabulary][width], bias where there is one
};

struct Op {
  OpKind kind = OpKind::embedding;
  std::string name;             // "h.0.attn.c_attn"
  int layer = -1;               // block of the model, -1 outside
  std::vector<int> parameters;  // indices in the parameter table, in the order given above
  int matrices = 1;             // of a linear op: how many of its parameters
};

struct Tensor {
  std::string name;  // of its producer: "h.0.ln_1"; in the training graph also "h.0.ln_1.mean", "d h.0.ln_1 by ..."
  Features features = Features::residual;
};

const char* name(OpKind kind);
const char* name(Features features);

}  // namespace wafersim::workloads
