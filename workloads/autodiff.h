#pragma once
// Reverse-mode differentiation of a model graph: forward ops and what each contributes to the backward pass, in execution order.
// Each kind of op has one rule (autodiff.cpp); which backward ops a layer needs, and where gradients meet and are added, follows from
// the edges of the graph. A residual passes its gradient on and needs no op.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "workloads/op.h"

namespace wafersim::workloads {

// Tensors are numbered in TrainingGraph::tensors. (inputs) -> (outputs); statistics are fp32.
enum class TrainingKind {
  embedding,               // () -> (x)
  layer_norm,              // (x) -> (y, mean, rstd)
  rms_norm,                // (x) -> (y, rstd)
  linear,                  // (x) -> (y)
  share_keys,              // (grouped qkv) -> (qkv)
  rotary,                  // (qkv) -> (qkv)
  attention,               // (qkv) -> (o, lse)
  gelu,                    // (x) -> (y)
  gelu_erf,                // (x) -> (y)
  relu,                    // (x) -> (y)
  swiglu,                  // (gate and up) -> (y)
  residual,                // (x, branch) -> (y)
  loss,                    // (x) -> (lse)
  loss_gradient,           // (x, lse) -> (dx); gradient of the unembedding
  linear_weight_gradient,  // (x, dy) -> (); gradients of matrices and biases
  linear_input_gradient,   // (dy) -> (dx)
  layer_norm_gradient,     // (x, mean, rstd, dy) -> (dx); gradients of gain and bias
  rms_norm_gradient,       // (x, rstd, dy) -> (dx); gradient of the gain
  share_keys_gradient,     // (dqkv) -> (grouped dqkv); sums over the heads of a group
  rotary_gradient,         // (dqkv) -> (dqkv)
  attention_gradient,      // (qkv, o, lse, do) -> (dqkv)
  gelu_gradient,           // (x, dy) -> (dx)
  gelu_erf_gradient,       // (x, dy) -> (dx)
  relu_gradient,           // (x, dy) -> (dx)
  swiglu_gradient,         // (gate and up, dy) -> (their gradient)
  gradient_sum,            // (a, b) -> (a + b)
  embedding_gradient,      // (dx) -> (); gradients of token rows and, where there are any, position rows
};

struct TrainingOp {
  TrainingKind kind = TrainingKind::embedding;
  std::string name;  // of the forward op
  int layer = -1;
  bool backward = false;  // runs after the loss
  std::vector<int> inputs;
  std::vector<int> outputs;
  std::vector<int> parameters;  // indices in the parameter table of what the op reads
  std::vector<int> gradients;   // indices in the parameter table of the gradients it makes; a tied tensor is named by two ops, in order
  bool recompute = false;       // a forward op that runs again for its layer's backward ops
  bool bias = false;            // of a linear op or the loss, and of their gradients: it adds a bias
};

struct TrainingGraph {
  std::vector<Tensor> tensors;
  std::vector<TrainingOp> ops;  // in execution order
};

struct ModelGraph;
// Of a layer that `recompute` names (by layer; none where empty) only the input stays: those of its forward ops whose results the layer's
// backward ops read run again, each shortly before its first reader, into tensors of their own. The graph must end in one loss, else
// Error(invariant).
TrainingGraph differentiate(const ModelGraph& model, const std::vector<bool>& recompute = {});

// Index of the last op that reads or writes each tensor: it may be freed after it.
std::vector<int> last_uses(const TrainingGraph& graph);

const char* name(TrainingKind kind);
// What a call of a forward op is reported as: "forward" or "recompute".
const char* forward_phase(const TrainingOp& op);

// {"tensors": [{name, features}], "ops": [{kind, name, layer, backward, recompute, inputs, outputs, parameters, gradients}]}
void to_json(nlohmann::json& out, const TrainingGraph& graph);

}  // namespace wafersim::workloads
