#include "workloads/reference/executor.h"

#include <algorithm>
#include <utility>

#include "sim/error.h"
#include "sim/numerics/elementary.h"
#include "workloads/linear_place.h"
#include "workloads/reference/activation.h"
#include "workloads/reference/attention.h"
#include "workloads/reference/elementwise.h"
#include "workloads/reference/embedding.h"
#include "workloads/reference/linear.h"
#include "workloads/reference/loss.h"
#include "workloads/reference/norm.h"
#include "workloads/reference/rms_norm.h"
#include "workloads/reference/rotary.h"
#include "workloads/reference/share_keys.h"

namespace wafersim::workloads::reference {
namespace {

FeatureMap map_of(const LoweringSpec& spec, const TrainingGraph& graph, int tensor) {
  return feature_map(graph.tensors[static_cast<std::size_t>(tensor)].features, spec.shape, spec.layout);
}

// `store`: as long as the parameter table.
template <typename Value>
EmbeddingRows<Value> embedding_rows(const memoryx::EmbeddingPlace& place, Value* store) {
  const auto optional = [&](const std::optional<std::size_t>& offset) { return offset ? store + *offset : nullptr; };
  return {store + place.token, optional(place.position), optional(place.type)};
}

// One micro-batch: the sum of its losses, its gradients without those of embedded tokens, its tensors.
class Executor {
 public:
  // `scale_word`: what the loss is multiplied with (NUMERICS.md, 8).
  Executor(const LoweringSpec& spec, const TrainingGraph& graph, const std::vector<float>& weights,
           const std::vector<std::uint32_t>& tokens, const std::vector<std::uint32_t>& targets, float scale_word)
      : spec_(spec),
        layout_(spec.layout),
        table_(parameter_table(spec.shape)),
        graph_(graph),
        wire_(weights),
        tokens_(tokens),
        loss_setting_{spec.shape.vocabulary, spec.loss_outputs_per_pe, &targets},
        scale_word_(scale_word) {
    sim::require_invariant(weights.size() == table_.size(), "reference: the weights are those of the model");
    sim::require_invariant(tokens.size() == token_count() && targets.size() == token_count(),
                           "reference: a micro-batch holds batch * sequence tokens and as many targets");
    round_to(spec_.type, wire_.data(), wire_.size());
    out_.gradients.assign(table_.size(), 0.0f);
    out_.tensors.resize(graph.tensors.size());
  }

  StepValues run() {
    for (const TrainingOp& op : graph_.ops) execute(op);
    return std::move(out_);
  }

 private:
  std::size_t token_count() const { return static_cast<std::size_t>(layout_.batch) * static_cast<std::size_t>(layout_.sequence); }
  const Tiles& in(const TrainingOp& op, std::size_t k) const { return out_.tensors[static_cast<std::size_t>(op.inputs[k])]; }
  Tiles& out(const TrainingOp& op, std::size_t k) { return out_.tensors[static_cast<std::size_t>(op.outputs[k])]; }
  FeatureMap map(int tensor) const { return map_of(spec_, graph_, tensor); }
  const float* wire(int parameter) const { return wire_.data() + table_[parameter].offset; }
  float* gradient(int parameter) { return out_.gradients.data() + table_[parameter].offset; }
  AttentionForm attention_form() const { return {spec_.shape.head(), family_form(spec_.shape).causal}; }
  LinearPlace place(const std::vector<int>& parameters) const { return {table_, parameters, family_form(spec_.shape).order}; }
  LinearPlace unembedding(const std::vector<int>& parameters) const { return {table_, parameters, MatrixOrder::out_in}; }
  Weights weights(const LinearPlace& place) const {
    return [this, place](int j) -> OutputWeights<const float> { return {&wire_[place.weight(0, j)], place.input_stride(j)}; };
  }
  Bias bias(const LinearPlace& place) const {
    if (!place.has_bias()) return {};
    return [this, place](int j) { return wire_[place.bias(j)]; };
  }
  WeightGradients matrix_gradients(const LinearPlace& place) {
    return [this, place](int j) -> OutputWeights<float> { return {&out_.gradients[place.weight(0, j)], place.input_stride(j)}; };
  }
  StoreVector store_bias(const LinearPlace& place) {
    if (!place.has_bias()) return {};
    return [this, place](int j, float g) { out_.gradients[place.bias(j)] = g; };
  }

  void execute(const TrainingOp& op) {
    switch (op.kind) {
      case TrainingKind::embedding:
        out(op, 0) = embedding(layout_, spec_.type, map(op.outputs[0]), spec_.shape.width,
                               embedding_rows(embedding_place(spec_.shape), std::as_const(wire_).data()), tokens_);
        break;
      case TrainingKind::layer_norm: {
        LayerNorm norm = layer_norm(layout_, spec_.type, in(op, 0), map(op.inputs[0]), spec_.shape.width,
                                    static_cast<float>(spec_.shape.layer_norm_epsilon), wire(op.parameters[0]), wire(op.parameters[1]));
        out(op, 0) = std::move(norm.y);
        out(op, 1) = std::move(norm.mean);
        out(op, 2) = std::move(norm.rstd);
        break;
      }
      case TrainingKind::linear:
        out(op, 0) = linear(layout_, spec_.type, in(op, 0), map(op.inputs[0]), map(op.outputs[0]), weights(place(op.parameters)),
                            bias(place(op.parameters)));
        break;
      case TrainingKind::attention: {
        Attention result = attention(layout_, spec_.type, in(op, 0), attention_form());
        out(op, 0) = std::move(result.out);
        out(op, 1) = std::move(result.lse);
        break;
      }
      case TrainingKind::rms_norm: {
        RmsNorm norm = rms_norm(layout_, spec_.type, in(op, 0), map(op.inputs[0]), spec_.shape.width,
                                static_cast<float>(spec_.shape.layer_norm_epsilon), wire(op.parameters[0]));
        out(op, 0) = std::move(norm.y);
        out(op, 1) = std::move(norm.rstd);
        break;
      }
      case TrainingKind::rms_norm_gradient:
        out(op, 0) = rms_norm_gradient(layout_, spec_.type, in(op, 0), in(op, 1), in(op, 2), map(op.inputs[0]), spec_.shape.width,
                                       wire(op.parameters[0]), gradient(op.gradients[0]));
        break;
      case TrainingKind::share_keys: out(op, 0) = share_keys(spec_.shape, layout_, in(op, 0)); break;
      case TrainingKind::share_keys_gradient: out(op, 0) = share_keys_gradient(spec_.shape, layout_, spec_.type, in(op, 0)); break;
      case TrainingKind::rotary: out(op, 0) = rotary(spec_.shape, layout_, spec_.type, in(op, 0)); break;
      case TrainingKind::rotary_gradient: out(op, 0) = rotary_gradient(spec_.shape, layout_, spec_.type, in(op, 0)); break;
      case TrainingKind::gelu_erf: out(op, 0) = gelu_erf(spec_.type, in(op, 0)); break;
      case TrainingKind::gelu_erf_gradient: out(op, 0) = gelu_erf_gradient(spec_.type, in(op, 0), in(op, 1)); break;
      case TrainingKind::relu: out(op, 0) = relu(spec_.type, in(op, 0)); break;
      case TrainingKind::relu_gradient: out(op, 0) = relu_gradient(spec_.type, in(op, 0), in(op, 1)); break;
      case TrainingKind::swiglu: out(op, 0) = swiglu(layout_, spec_.type, in(op, 0)); break;
      case TrainingKind::swiglu_gradient: out(op, 0) = swiglu_gradient(layout_, spec_.type, in(op, 0), in(op, 1)); break;
      case TrainingKind::gelu: out(op, 0) = gelu(spec_.type, in(op, 0)); break;
      case TrainingKind::residual:
      case TrainingKind::gradient_sum: out(op, 0) = add(spec_.type, in(op, 0), in(op, 1)); break;
      case TrainingKind::loss: {
        Loss result = loss(layout_, loss_setting_, in(op, 0), map(op.inputs[0]), weights(unembedding(op.parameters)),
                           bias(unembedding(op.parameters)));
        out(op, 0) = std::move(result.lse);
        out_.loss = static_cast<double>(result.sum);
        break;
      }
      case TrainingKind::loss_gradient: {
        const LinearPlace from = unembedding(op.parameters), to = unembedding(op.gradients);
        out(op, 0) = loss_gradient(layout_, spec_.type, loss_setting_, in(op, 0), in(op, 1), map(op.inputs[0]), weights(from), bias(from),
                                   scale_word_, {matrix_gradients(to), store_bias(to)});
        break;
      }
      case TrainingKind::linear_weight_gradient: {
        const LinearPlace to = place(op.gradients);
        matrix_gradient(layout_, in(op, 0), map(op.inputs[0]), in(op, 1), map(op.inputs[1]), matrix_gradients(to));
        if (to.has_bias()) bias_gradient(layout_, in(op, 1), map(op.inputs[1]), store_bias(to));
        break;
      }
      case TrainingKind::linear_input_gradient:
        out(op, 0) =
            linear_input_gradient(layout_, spec_.type, in(op, 0), map(op.inputs[0]), map(op.outputs[0]), weights(place(op.parameters)));
        break;
      case TrainingKind::layer_norm_gradient:
        out(op, 0) = layer_norm_gradient(layout_, spec_.type, in(op, 0), in(op, 1), in(op, 2), in(op, 3), map(op.inputs[0]),
                                         spec_.shape.width, wire(op.parameters[0]), gradient(op.gradients[0]), gradient(op.gradients[1]));
        break;
      case TrainingKind::attention_gradient:
        out(op, 0) = attention_gradient(layout_, spec_.type, in(op, 0), in(op, 1), in(op, 2), in(op, 3), attention_form());
        break;
      case TrainingKind::gelu_gradient: out(op, 0) = gelu_gradient(spec_.type, in(op, 0), in(op, 1)); break;
      case TrainingKind::embedding_gradient: break;  // MemoryX scatters those of all tokens of the step
    }
  }  // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks): it does not see the functions in an aggregate destroyed

  const LoweringSpec& spec_;
  const Layout& layout_;
  memoryx::ParameterTable table_;
  const TrainingGraph& graph_;
  std::vector<float> wire_;  // weights as they cross the link
  const std::vector<std::uint32_t>& tokens_;
  LossSetting loss_setting_;
  float scale_word_;
  StepValues out_;
};

std::vector<std::uint32_t> part(const std::vector<std::uint32_t>& ids, int number, int parts) {
  const std::ptrdiff_t size = static_cast<std::ptrdiff_t>(ids.size()) / parts;
  return {ids.begin() + number * size, ids.begin() + (number + 1) * size};
}

}  // namespace

StepValues run_step(const LoweringSpec& spec, const TrainingGraph& graph, const std::vector<float>& weights,
                    const std::vector<std::uint32_t>& tokens, const std::vector<std::uint32_t>& targets, double loss_scale) {
  const int systems = spec.swarm.systems, parts = systems * spec.micro_batches;  // a system's micro-batches lie side by side
  const float scale_word = static_cast<float>(loss_scale / memoryx::loss_tokens(targets));
  const auto scattered =
      std::find_if(graph.ops.begin(), graph.ops.end(), [](const TrainingOp& op) { return op.kind == TrainingKind::embedding_gradient; });
  StepValues step;
  std::vector<Tiles> embedded(static_cast<std::size_t>(parts));  // gradients of the tokens, by part of the batch
  memoryx::SwarmSum loss(spec.swarm.fanout), gradients(spec.swarm.fanout);
  for (int m = 0; m < spec.micro_batches; ++m) {
    for (int w = 0; w < systems; ++w) {
      const int p = w * spec.micro_batches + m;
      const std::vector<std::uint32_t> inputs = part(tokens, p, parts), next = part(targets, p, parts);
      StepValues values = Executor(spec, graph, weights, inputs, next, scale_word).run();
      loss.add({static_cast<float>(values.loss)});  // a word of the link
      gradients.add(std::move(values.gradients));
      step.tensors = std::move(values.tensors);
      if (scattered != graph.ops.end())
        embedded[static_cast<std::size_t>(p)] = step.tensors[static_cast<std::size_t>(scattered->inputs[0])];
    }
    step.loss += static_cast<double>(loss.take().front());
    std::vector<float> sum = gradients.take();
    if (m == 0) {
      step.gradients = std::move(sum);
    } else {
      for (std::size_t e = 0; e < step.gradients.size(); ++e) step.gradients[e] = sim::numerics::add(step.gradients[e], sum[e]);
    }
  }
  step.loss /= memoryx::loss_tokens(targets);
  const EmbeddingRows<float> rows = embedding_rows(embedding_place(spec.shape), step.gradients.data());
  for (int p = 0; scattered != graph.ops.end() && p < parts; ++p)
    embedding_gradient(spec.layout, map_of(spec, graph, scattered->inputs[0]), spec.shape.width, embedded[static_cast<std::size_t>(p)],
                       part(tokens, p, parts), rows);
  return step;
}

}  // namespace wafersim::workloads::reference
