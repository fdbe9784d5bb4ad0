#pragma once
// The kernel calls of a training step in the order in which lowering makes them, without addresses and streams: what closed forms and the
// roofline count.

#include <vector>

#include "workloads/autodiff.h"
#include "workloads/lowering_spec.h"

namespace wafersim::workloads {

enum class CallKind {
  embedding,
  layer_norm,
  rms_norm,
  linear,  // forward and input gradient
  share_keys,
  rotary,  // forward and gradient
  attention,
  gelu,
  gelu_erf,
  relu,
  swiglu,
  add,
  loss,
  logit_gradient,  // of a chunk of the vocabulary: its logits again, then dlogits
  weight_gradient,
  layer_norm_gradient,
  rms_norm_gradient,
  share_keys_gradient,
  attention_gradient,
  gelu_gradient,
  gelu_erf_gradient,
  relu_gradient,
  swiglu_gradient,
  embedding_gradient,
  accumulate,
  round,
};

struct CallOutline {
  int op = 0;  // of the training graph
  CallKind kind = CallKind::embedding;
  const char* kernel = "";  // as KernelCall has them
  const char* phase = "";
  int layer = -1;
  bool backward = false;
  bool bias = false;     // linear, weight_gradient, loss, logit_gradient
  int inputs = 0;        // features without padding; a linear contracts them (weight gradient: the inputs of its layer)
  int outputs = 0;       // without padding; of a linear, loss, logit or weight gradient
  int tile_inputs = 0;   // rows of a PE's tile
  int tile_outputs = 0;  // of attention: a head's rows; of swiglu and its gradient: the inner tile's
};

std::vector<CallOutline> outline_calls(const LoweringSpec& spec, const TrainingGraph& graph);

}  // namespace wafersim::workloads
