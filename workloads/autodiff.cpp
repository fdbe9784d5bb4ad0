#include "workloads/autodiff.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sim/error.h"
#include "workloads/graph.h"

namespace wafersim::workloads {
namespace {

constexpr int no_tensor = -1;

class Differentiator {
 public:
  Differentiator(const ModelGraph& model, const std::vector<bool>& recompute)
      : model_(model), recompute_(recompute), gradient_(model.tensors.size(), no_tensor) {
    out_.tensors = model.tensors;
  }

  TrainingGraph run() {
    const std::vector<int> order = execution_order(model_);
    forward_.resize(order.size());
    for (const int vertex : order) forward(vertex);
    const auto losses = std::count_if(out_.ops.begin(), out_.ops.end(), [](const TrainingOp& op) { return op.kind == TrainingKind::loss; });
    sim::require_invariant(losses == 1, "a model that is trained ends in one loss");
    std::size_t first = out_.ops.size();  // backward op of the layer at hand
    for (auto vertex = order.rbegin(); vertex != order.rend(); ++vertex) {
      backward(*vertex);
      const int layer = op_of(*vertex).layer;
      if (vertex + 1 != order.rend() && op_of(vertex[1]).layer == layer) continue;
      if (layer >= 0 && static_cast<std::size_t>(layer) < recompute_.size() && recompute_[static_cast<std::size_t>(layer)])
        repeat_forward(layer, first);
      first = out_.ops.size();
    }
    return out_;
  }

 private:
  static bool has_bias(const Op& op) { return op.parameters.size() > static_cast<std::size_t>(op.matrices); }
  const Op& op_of(int vertex) const { return model_.graph[static_cast<std::size_t>(vertex)]; }

  int add_tensor(const std::string& tensor_name, Features features) {
    out_.tensors.push_back({tensor_name, features});
    return static_cast<int>(out_.tensors.size()) - 1;
  }

  // A forward op and the statistics that its backward rule will read.
  void forward(int vertex) {
    const Op& op = op_of(vertex);
    TrainingOp step{TrainingKind::loss, op.name, op.layer, false, inputs_of(model_, vertex), {}, op.parameters, {}};
    if (const int output = output_of(model_, vertex); output != no_tensor) step.outputs.push_back(output);
    const auto save = [&](const char* statistic) { step.outputs.push_back(add_tensor(op.name + "." + statistic, Features::statistic)); };
    switch (op.kind) {
      case OpKind::embedding: step.kind = TrainingKind::embedding; break;
      case OpKind::layer_norm:
        step.kind = TrainingKind::layer_norm;
        save("mean");
        save("rstd");
        break;
      case OpKind::rms_norm:
        step.kind = TrainingKind::rms_norm;
        save("rstd");
        break;
      case OpKind::linear:
        step.kind = TrainingKind::linear;
        step.bias = has_bias(op);
        break;
      case OpKind::share_keys: step.kind = TrainingKind::share_keys; break;
      case OpKind::rotary: step.kind = TrainingKind::rotary; break;
      case OpKind::attention:
        step.kind = TrainingKind::attention;
        save("lse");
        break;
      case OpKind::gelu: step.kind = TrainingKind::gelu; break;
      case OpKind::gelu_erf: step.kind = TrainingKind::gelu_erf; break;
      case OpKind::relu: step.kind = TrainingKind::relu; break;
      case OpKind::swiglu: step.kind = TrainingKind::swiglu; break;
      case OpKind::residual: step.kind = TrainingKind::residual; break;
      case OpKind::loss:
        step.kind = TrainingKind::loss;
        step.bias = has_bias(op);
        save("lse");
        break;
    }
    forward_[static_cast<std::size_t>(vertex)] = step;
    out_.ops.push_back(step);
  }

  // Every reader of the op's output has been visited, so the gradient of the output is complete.
  void backward(int vertex) {
    const TrainingOp& f = forward_[static_cast<std::size_t>(vertex)];
    const std::vector<int>& in = f.inputs;
    const Op& op = op_of(vertex);
    const int dy = op.kind == OpKind::loss ? no_tensor : gradient_[static_cast<std::size_t>(f.outputs[0])];
    sim::require_invariant(op.kind == OpKind::loss || dy != no_tensor, "every op of a model that is trained reaches the loss");
    switch (op.kind) {
      case OpKind::embedding: emit(f, TrainingKind::embedding_gradient, {dy}, no_tensor, {}, f.parameters); break;
      case OpKind::layer_norm:
        emit(f, TrainingKind::layer_norm_gradient, {in[0], f.outputs[1], f.outputs[2], dy}, in[0], {f.parameters[0]}, f.parameters);
        break;
      case OpKind::rms_norm: emit(f, TrainingKind::rms_norm_gradient, {in[0], f.outputs[1], dy}, in[0], f.parameters, f.parameters); break;
      case OpKind::linear:  // weights first: after it x is not needed
        emit(f, TrainingKind::linear_weight_gradient, {in[0], dy}, no_tensor, {}, f.parameters);
        emit(f, TrainingKind::linear_input_gradient, {dy}, in[0], {f.parameters.begin(), f.parameters.begin() + op.matrices}, {});
        break;
      case OpKind::share_keys: emit(f, TrainingKind::share_keys_gradient, {dy}, in[0], {}, {}); break;
      case OpKind::rotary: emit(f, TrainingKind::rotary_gradient, {dy}, in[0], {}, {}); break;
      case OpKind::attention: emit(f, TrainingKind::attention_gradient, {in[0], f.outputs[0], f.outputs[1], dy}, in[0], {}, {}); break;
      case OpKind::gelu: emit(f, TrainingKind::gelu_gradient, {in[0], dy}, in[0], {}, {}); break;
      case OpKind::gelu_erf: emit(f, TrainingKind::gelu_erf_gradient, {in[0], dy}, in[0], {}, {}); break;
      case OpKind::relu: emit(f, TrainingKind::relu_gradient, {in[0], dy}, in[0], {}, {}); break;
      case OpKind::swiglu: emit(f, TrainingKind::swiglu_gradient, {in[0], dy}, in[0], {}, {}); break;
      case OpKind::residual:
        contribute(in[0], dy, f);
        contribute(in[1], dy, f);
        break;
      case OpKind::loss: emit(f, TrainingKind::loss_gradient, {in[0], f.outputs[0]}, in[0], f.parameters, f.parameters); break;
    }
  }

  // Runs the forward ops of a layer that its backward ops, those from `first` on, need again, each as late as its first reader allows, and
  // lets these read their results.
  void repeat_forward(int layer, std::size_t first) {
    std::vector<int> again(out_.tensors.size(), no_tensor);  // of each tensor that is made again: its copy
    std::vector<std::uint8_t> needed(out_.tensors.size());
    for (std::size_t op = first; op < out_.ops.size(); ++op)
      for (const int tensor : out_.ops[op].inputs) needed[static_cast<std::size_t>(tensor)] = 1;
    std::vector<TrainingOp> ops;  // last first
    for (std::size_t op = first; op-- > 0;) {
      const TrainingOp& f = out_.ops[op];
      const auto read = [&](int tensor) { return needed[static_cast<std::size_t>(tensor)] != 0; };
      if (f.backward || f.layer != layer || std::none_of(f.outputs.begin(), f.outputs.end(), read)) continue;
      for (const int tensor : f.inputs) needed[static_cast<std::size_t>(tensor)] = 1;
      ops.push_back(f);
    }
    std::reverse(ops.begin(), ops.end());
    const auto redirect = [&](std::vector<int>& tensors) {
      for (int& tensor : tensors)
        if (again[static_cast<std::size_t>(tensor)] != no_tensor) tensor = again[static_cast<std::size_t>(tensor)];
    };
    for (TrainingOp& op : ops) {
      op.backward = op.recompute = true;
      redirect(op.inputs);
      for (int& tensor : op.outputs) {
        const Tensor source = out_.tensors[static_cast<std::size_t>(tensor)];
        tensor = again[static_cast<std::size_t>(tensor)] = add_tensor(source.name + " again", source.features);
      }
    }
    const std::vector<TrainingOp> readers(out_.ops.begin() + static_cast<std::ptrdiff_t>(first), out_.ops.end());
    out_.ops.resize(first);
    for (TrainingOp reader : readers) {
      redirect(reader.inputs);
      make_again(reader.inputs, ops);
      out_.ops.push_back(reader);
    }
  }

  // Moves those of `ops`, which are in execution order, that make `tensors` to the end of the graph, behind what they read themselves.
  void make_again(const std::vector<int>& tensors, std::vector<TrainingOp>& ops) {
    for (const int tensor : tensors) {
      const auto makes = [tensor](const TrainingOp& op) { return std::count(op.outputs.begin(), op.outputs.end(), tensor) > 0; };
      const auto found = std::find_if(ops.begin(), ops.end(), makes);
      if (found == ops.end()) continue;
      const TrainingOp op = *found;
      ops.erase(found);
      make_again(op.inputs, ops);
      out_.ops.push_back(op);
    }
  }

  // A backward op of the forward op f; `target` is the forward tensor whose gradient it makes, if any.
  void emit(const TrainingOp& f, TrainingKind kind, const std::vector<int>& inputs, int target, const std::vector<int>& parameters,
            const std::vector<int>& gradients) {
    TrainingOp step{kind, f.name, f.layer, true, inputs, {}, parameters, gradients, false, f.bias};
    if (target == no_tensor) {
      out_.ops.push_back(step);
      return;
    }
    const Tensor source = out_.tensors[static_cast<std::size_t>(target)];
    const int made = add_tensor("d " + source.name + " by " + f.name, source.features);
    step.outputs.push_back(made);
    out_.ops.push_back(step);
    contribute(target, made, f);
  }

  // The gradient `part` of a forward tensor; where one is already there, the two are added: the earlier is the first operand.
  void contribute(int target, int part, const TrainingOp& f) {
    int& gradient = gradient_[static_cast<std::size_t>(target)];
    if (gradient == no_tensor) {
      gradient = part;
      return;
    }
    const Tensor source = out_.tensors[static_cast<std::size_t>(target)];
    const int sum = add_tensor("d " + source.name, source.features);
    out_.ops.push_back({TrainingKind::gradient_sum, f.name, f.layer, true, {gradient, part}, {sum}, {}, {}});
    gradient = sum;
  }

  const ModelGraph& model_;
  const std::vector<bool>& recompute_;  // by layer
  TrainingGraph out_;
  std::vector<TrainingOp> forward_;  // by vertex
  std::vector<int> gradient_;        // of each forward tensor: number of the training tensor that holds it so far
};

}  // namespace

TrainingGraph differentiate(const ModelGraph& model, const std::vector<bool>& recompute) { return Differentiator(model, recompute).run(); }

std::vector<int> last_uses(const TrainingGraph& graph) {
  std::vector<int> last(graph.tensors.size(), -1);
  for (std::size_t op = 0; op < graph.ops.size(); ++op) {
    for (const int tensor : graph.ops[op].inputs) last[static_cast<std::size_t>(tensor)] = static_cast<int>(op);
    for (const int tensor : graph.ops[op].outputs) last[static_cast<std::size_t>(tensor)] = static_cast<int>(op);
  }
  return last;
}

const char* name(TrainingKind kind) {
  switch (kind) {
    case TrainingKind::embedding: return "embedding";
    case TrainingKind::layer_norm: return "layer_norm";
    case TrainingKind::linear: return "linear";
    case TrainingKind::attention: return "attention";
    case TrainingKind::gelu: return "gelu";
    case TrainingKind::rms_norm: return "rms_norm";
    case TrainingKind::rms_norm_gradient: return "rms_norm_gradient";
    case TrainingKind::share_keys: return "share_keys";
    case TrainingKind::share_keys_gradient: return "share_keys_gradient";
    case TrainingKind::rotary: return "rotary";
    case TrainingKind::rotary_gradient: return "rotary_gradient";
    case TrainingKind::gelu_erf: return "gelu_erf";
    case TrainingKind::gelu_erf_gradient: return "gelu_erf_gradient";
    case TrainingKind::relu: return "relu";
    case TrainingKind::relu_gradient: return "relu_gradient";
    case TrainingKind::swiglu: return "swiglu";
    case TrainingKind::swiglu_gradient: return "swiglu_gradient";
    case TrainingKind::residual: return "residual";
    case TrainingKind::loss: return "loss";
    case TrainingKind::loss_gradient: return "loss_gradient";
    case TrainingKind::linear_weight_gradient: return "linear_weight_gradient";
    case TrainingKind::linear_input_gradient: return "linear_input_gradient";
    case TrainingKind::layer_norm_gradient: return "layer_norm_gradient";
    case TrainingKind::attention_gradient: return "attention_gradient";
    case TrainingKind::gelu_gradient: return "gelu_gradient";
    case TrainingKind::gradient_sum: return "gradient_sum";
    case TrainingKind::embedding_gradient: break;
  }
  return "embedding_gradient";
}

const char* forward_phase(const TrainingOp& op) { return op.recompute ? "recompute" : "forward"; }

void to_json(nlohmann::json& out, const TrainingGraph& graph) {
  out = {{"tensors", nlohmann::json::array()}, {"ops", nlohmann::json::array()}};
  for (const Tensor& tensor : graph.tensors) out["tensors"].push_back({{"name", tensor.name}, {"features", name(tensor.features)}});
  for (const TrainingOp& op : graph.ops)
    out["ops"].push_back({{"kind", name(op.kind)},
                          {"name", op.name},
                          {"layer", op.layer},
                          {"backward", op.backward},
                          {"recompute", op.recompute},
                          {"inputs", op.inputs},
                          {"outputs", op.outputs},
                          {"parameters", op.parameters},
                          {"gradients", op.gradients}});
}

}  // namespace wafersim::workloads
