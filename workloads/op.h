#pragma once
// The vocabulary of the model graph and of the training graph: what an op is, what a tensor between two ops is.

#include <string>
#include <vector>

#include "workloads/layout.h"
#include "workloads/model_shape.h"

namespace wafersim::workloads {

// What a token holds of a tensor. All but `statistic` are tiles in the run's storage type.
enum class Features {
  residual,   // width features, contiguous over the columns of a lane
  qkv,        // queries, keys and values side by side in every column, each by heads
  heads,      // width features, a head in whole columns
  inner,      // features between the linears of the MLP, contiguous
  statistic,  // one fp32 value a token, the same in every column that uses it
};

// Where the features of a tensor live; `statistic` has one place a column, of no feature.
FeatureMap feature_map(Features features, const ModelShape& shape, const Layout& layout);
// Rows of a PE's tile: per_column of feature_map.
int tile_rows(Features features, const ModelShape& shape, const Layout& layout);

// Ops of the model. Each has one output tensor but `loss`, whose result is the scalar that training minimises.
enum class OpKind {
  embedding,   // () -> x; parameters: token rows, position rows
  layer_norm,  // x -> y; parameters: gain, bias
  linear,      // x -> y; parameters: matrix [in][out], bias
  attention,   // qkv -> o; causal
  gelu,        // x -> y; tanh form
  residual,    // x, branch -> x + branch
  loss,  // x -> (); unembedding and softmax cross-entropy, one op because logits are never stored; parameters: matrix [vocabulary][width]
};

struct Op {
  OpKind kind = OpKind::embedding;
  std::string name;             // "h.0.attn.c_attn"
  int layer = -1;               // block of the model, -1 outside
  std::vector<int> parameters;  // indices in the parameter table, in the order given above
};

struct Tensor {
  std::string name;  // of its producer: "h.0.ln_1"; in the training graph also "h.0.ln_1.mean", "d h.0.ln_1 by ..."
  Features features = Features::residual;
};

const char* name(OpKind kind);
const char* name(Features features);

}  // namespace wafersim::workloads
