#include "workloads/call_outline.h"

#include <algorithm>

namespace wafersim::workloads {
namespace {

class Outliner {
 public:
  Outliner(const LoweringSpec& spec, const TrainingGraph& graph) : spec_(spec), graph_(graph) {}

  std::vector<CallOutline> run() {
    for (const TrainingOp& op : graph_.ops) add(op);
    return calls_;
  }

 private:
  Features features(int tensor) const { return graph_.tensors[static_cast<std::size_t>(tensor)].features; }
  int rows(int tensor) const { return tile_rows(features(tensor), spec_.shape, spec_.layout); }
  int count(int tensor) const { return feature_count(features(tensor), spec_.shape); }

  CallOutline& call(const TrainingOp& op, CallKind kind, const char* kernel, const char* phase) {
    CallOutline c;
    c.op = static_cast<int>(&op - graph_.ops.data());
    c.kind = kind;
    c.kernel = kernel;
    c.phase = phase;
    c.layer = op.layer;
    c.backward = op.backward;
    if (!op.inputs.empty()) {
      c.inputs = count(op.inputs[0]);
      c.tile_inputs = rows(op.inputs[0]);
    }
    calls_.push_back(c);
    return calls_.back();
  }
  // `from` and `to`: tensors whose features a matrix connects.
  void matrix(CallOutline& c, int from, int to, bool bias) const {
    c.bias = bias;
    c.inputs = count(from);
    c.tile_inputs = rows(from);
    c.outputs = count(to);
    c.tile_outputs = rows(to);
  }
  void unembedding_gradient(const TrainingOp& op);
  void add(const TrainingOp& op);

  const LoweringSpec& spec_;
  const TrainingGraph& graph_;
  std::vector<CallOutline> calls_;
};

void Outliner::unembedding_gradient(const TrainingOp& op) {
  const int chunks = spec_.chunks(), size = spec_.chunk_outputs();
  for (int chunk = 0; chunk < chunks; ++chunk) {
    const int outputs = std::min(size, spec_.shape.vocabulary - chunk * size);
    const auto sized = [&](CallOutline& c) {
      c.outputs = outputs;
      c.tile_outputs = spec_.loss_outputs_per_pe;
    };
    CallOutline& again = call(op, CallKind::logit_gradient, "loss", "recompute");
    sized(again);
    again.bias = op.bias;
    CallOutline& weights = call(op, CallKind::weight_gradient, "linear", "weight_gradient");
    sized(weights);
    weights.bias = op.bias;
    CallOutline& back = call(op, CallKind::linear, "linear", "input_gradient");
    sized(back);
    std::swap(back.inputs, back.outputs);
    std::swap(back.tile_inputs, back.tile_outputs);
    if (chunk > 0) call(op, CallKind::accumulate, "accumulate", "input_gradient");
  }
  if (chunks > 1 && sim::is_half(spec_.type)) call(op, CallKind::round, "round", "input_gradient");
}

void Outliner::add(const TrainingOp& op) {
  switch (op.kind) {
    case TrainingKind::embedding: {
      CallOutline& c = call(op, CallKind::embedding, "embedding", "forward");
      c.inputs = count(op.outputs[0]);
      c.tile_inputs = rows(op.outputs[0]);
      return;
    }
    case TrainingKind::layer_norm: call(op, CallKind::layer_norm, "layer_norm", forward_phase(op)); return;
    case TrainingKind::rms_norm: call(op, CallKind::rms_norm, "rms_norm", forward_phase(op)); return;
    case TrainingKind::linear: return matrix(call(op, CallKind::linear, "linear", forward_phase(op)), op.inputs[0], op.outputs[0], op.bias);
    case TrainingKind::share_keys: call(op, CallKind::share_keys, "share_keys", forward_phase(op)); return;
    case TrainingKind::rotary: call(op, CallKind::rotary, "rotary", forward_phase(op)); return;
    case TrainingKind::attention: call(op, CallKind::attention, "attention", forward_phase(op)).tile_outputs = rows(op.outputs[0]); return;
    case TrainingKind::gelu: call(op, CallKind::gelu, "gelu", forward_phase(op)); return;
    case TrainingKind::gelu_erf: call(op, CallKind::gelu_erf, "gelu_erf", forward_phase(op)); return;
    case TrainingKind::relu: call(op, CallKind::relu, "relu", forward_phase(op)); return;
    case TrainingKind::swiglu: call(op, CallKind::swiglu, "swiglu", forward_phase(op)).tile_outputs = rows(op.outputs[0]); return;
    case TrainingKind::residual: call(op, CallKind::add, "residual", forward_phase(op)); return;
    case TrainingKind::loss: {
      CallOutline& c = call(op, CallKind::loss, "loss", "forward");
      c.outputs = spec_.shape.vocabulary;
      c.tile_outputs = spec_.loss_outputs_per_pe;
      c.bias = op.bias;
      return;
    }
    case TrainingKind::loss_gradient: return unembedding_gradient(op);
    case TrainingKind::linear_weight_gradient:
      return matrix(call(op, CallKind::weight_gradient, "linear", "weight_gradient"), op.inputs[0], op.inputs[1], op.bias);
    case TrainingKind::linear_input_gradient:
      return matrix(call(op, CallKind::linear, "linear", "input_gradient"), op.inputs[0], op.outputs[0], false);
    case TrainingKind::layer_norm_gradient: call(op, CallKind::layer_norm_gradient, "layer_norm", "gradient"); return;
    case TrainingKind::attention_gradient:
      call(op, CallKind::attention_gradient, "attention", "gradient").tile_outputs = rows(op.inputs[1]);
      return;
    case TrainingKind::gelu_gradient: call(op, CallKind::gelu_gradient, "gelu", "gradient"); return;
    case TrainingKind::rms_norm_gradient: call(op, CallKind::rms_norm_gradient, "rms_norm", "gradient"); return;
    case TrainingKind::share_keys_gradient: call(op, CallKind::share_keys_gradient, "share_keys", "gradient"); return;
    case TrainingKind::rotary_gradient: call(op, CallKind::rotary, "rotary", "gradient"); return;
    case TrainingKind::gelu_erf_gradient: call(op, CallKind::gelu_erf_gradient, "gelu_erf", "gradient"); return;
    case TrainingKind::relu_gradient: call(op, CallKind::relu_gradient, "relu", "gradient"); return;
    case TrainingKind::swiglu_gradient: call(op, CallKind::swiglu_gradient, "swiglu", "gradient").tile_outputs = rows(op.inputs[1]); return;
    case TrainingKind::gradient_sum: call(op, CallKind::add, "residual", "gradient"); return;
    case TrainingKind::embedding_gradient: call(op, CallKind::embedding_gradient, "embedding", "gradient"); return;
  }
}

}  // namespace

std::vector<CallOutline> outline_calls(const LoweringSpec& spec, const TrainingGraph& graph) { return Outliner(spec, graph).run(); }

}  // namespace wafersim::workloads
