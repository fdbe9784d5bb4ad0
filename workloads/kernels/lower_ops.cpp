// Lowering op by op: scratch arrays, the arguments of an op's kernel calls and what their streams will be.
#include "workloads/kernels/lowering.h"

namespace wafersim::workloads {

Lowering::Matrix Lowering::matrix(const std::vector<int>& parameters, int from, int to) const {
  const LinearPlace place(table_, parameters, family_form(spec_.shape).order);
  const BiasIndex bias = [place](int j) { return static_cast<std::uint32_t>(place.bias(j)); };
  return {rows(from),
          rows(to),
          [this, from] { return features(from); },
          [this, to] { return features(to); },
          [place](int i, int j) { return static_cast<std::uint32_t>(place.weight(i, j)); },
          place.has_bias() ? bias : BiasIndex{}};
}

void Lowering::lower_embedding(const TrainingOp& op) {
  const int x = op.outputs[0];
  Arguments arguments = {{"x", address(x)}, {"features", rows(x)}};
  if (op.parameters.size() > 1) arguments["further"] = scratch("further rows", tile_bytes(rows(x)), 4);
  call(op, tasks_.embedding, "embedding", "forward", arguments, [this, &op](StreamBuilder& stream) {
    const FeatureMap map = features(op.outputs[0]);
    const memoryx::EmbeddingPlace place = embedding_place(spec_.shape);
    stream.token_rows(map, static_cast<std::uint32_t>(place.token), place.width);
    if (place.position) stream.position_rows(map, static_cast<std::uint32_t>(*place.position), place.width);
    if (place.type) stream.common_row(map, static_cast<std::uint32_t>(*place.type));
  });
}

void Lowering::lower_layer_norm(const TrainingOp& op) {
  const int total = scratch(op.name + ": total", vector_bytes(), 4), work = scratch(op.name + ": work", vector_bytes(), 0);
  call(op, tasks_.layer_norm, "layer_norm", forward_phase(op),
       {{"x", address(op.inputs[0])},
        {"y", address(op.outputs[0])},
        {"mean", address(op.outputs[1])},
        {"rstd", address(op.outputs[2])},
        {"total", total},
        {"work", work},
        {"features", rows(op.inputs[0])}},
       [this, &op](StreamBuilder& stream) { stream.norm(features(op.inputs[0]), offset(op.parameters[0]), offset(op.parameters[1])); });
}

void Lowering::lower_layer_norm_gradient(const TrainingOp& op) {
  const int places = rows(op.inputs[0]);
  const int products = scratch(op.name + ": products", tile32_bytes(places), 0),
            totals = scratch(op.name + ": totals", 2 * vector_bytes(), 4);
  const int normal = scratch(op.name + ": normal", vector_bytes(), 0), work = scratch(op.name + ": work", vector_bytes(), 4),
            sums = scratch(op.name + ": sums", std::int64_t{8} * places, 0);
  call(op, tasks_.layer_norm_gradient, "layer_norm", "gradient",
       {{"x", address(op.inputs[0])},
        {"mean", address(op.inputs[1])},
        {"rstd", address(op.inputs[2])},
        {"dy", address(op.inputs[3])},
        {"dx", address(op.outputs[0])},
        {"products", products},
        {"totals", totals},
        {"normal", normal},
        {"work", work},
        {"sums", sums},
        {"features", places}},
       [this, &op](StreamBuilder& stream) {
         const FeatureMap map = features(op.inputs[0]);
         stream.norm(map, offset(op.parameters[0]), StreamBuilder::no_biases);
         stream.norm_gradients(map, offset(op.gradients[0]), offset(op.gradients[1]));
       });
}

// The result lies where o and its gradient were, if they are not read again: the kernel has copied them by then.
void Lowering::lower_attention_gradient(const TrainingOp& op) {
  const int o = op.inputs[1], d_o = op.inputs[3], dqkv = op.outputs[0];
  const int work = scratch(op.name + ": work", work_.attention_gradient.work, 0);
  for (const int tensor : {o, d_o})
    if (dies(tensor, op)) release(tensor);
  place_tensor(dqkv, work_.attention_gradient.result);
  call(op, tasks_.attention_gradient, "attention", "gradient",
       {{"qkv", address(op.inputs[0])},
        {"o", address(o)},
        {"lse", address(op.inputs[2])},
        {"do", address(d_o)},
        {"dqkv", address(dqkv)},
        {"work", work}});
  narrow(dqkv);
}

void Lowering::lower_linear(const TrainingOp& op, const Matrix& matrix, int x, int y, const char* phase) {
  const int partial = scratch(op.name + ": partial", vector_bytes(), 4);
  call(op, tasks_.linear, "linear", phase,
       {{"x", x},
        {"inputs", matrix.inputs},
        {"partial", partial},
        {"sums", y},
        {"outputs", matrix.outputs},
        {"y", y},
        {"biases", matrix.bias ? matrix.outputs : 0},
        {"feed",
         weight_words(spec_.layout, spec_.type, matrix.inputs, matrix.outputs) + (matrix.bias ? words_of(matrix.outputs, spec_.type) : 0)}},
       [matrix](StreamBuilder& stream) {
         const FeatureMap outputs = matrix.output_map();
         stream.linear_weights(matrix.input_map(), outputs, matrix.weight);
         if (matrix.bias) stream.biases(outputs, matrix.bias);
       });
}

void Lowering::lower_weight_gradient(const TrainingOp& op, const Matrix& matrix, int x, int dy) {
  const bool x_travels = matrix.inputs < matrix.outputs;
  const Matrix held_by_sent = x_travels ? matrix.transposed() : matrix;
  const BiasIndex none, held_bias = x_travels ? matrix.bias : none, sent_bias = x_travels ? none : matrix.bias;
  const int held = x_travels ? dy : x, sent = x_travels ? x : dy, held_rows = held_by_sent.inputs;
  const int received = scratch(op.name + ": received", tile_bytes(1), 4 - held % 8),
            sums = scratch(op.name + ": sums", std::int64_t{4} * (held_rows + 1), 0);
  call(op, tasks_.weight_gradient, "linear", "weight_gradient",
       {{"held", held},
        {"held_rows", held_rows},
        {"sent", sent},
        {"sent_rows", held_by_sent.outputs},
        {"received", received},
        {"sums", sums},
        {"held_bias", held_bias ? held_rows : 0},
        {"sent_bias", sent_bias ? 1 : 0}},
       [held_by_sent, held_bias, sent_bias](StreamBuilder& stream) {
         stream.linear_gradients(held_by_sent.input_map(), held_by_sent.output_map(), held_by_sent.weight, held_bias, sent_bias);
       });
}

void Lowering::lower_op(const TrainingOp& op) {
  const auto in = [&](std::size_t i) { return address(op.inputs[i]); };
  const auto out = [&](std::size_t i) { return address(op.outputs[i]); };
  const auto work = [&](std::int64_t bytes) { return scratch(op.name + ": work", bytes, 0); };
  const auto add = [&](const char* phase) {
    call(op, tasks_.add, "residual", phase, {{"a", in(0)}, {"b", in(1)}, {"y", out(0)}, {"features", rows(op.inputs[0])}});
  };
  switch (op.kind) {
    case TrainingKind::embedding: return lower_embedding(op);
    case TrainingKind::layer_norm: return lower_layer_norm(op);
    case TrainingKind::layer_norm_gradient: return lower_layer_norm_gradient(op);
    case TrainingKind::linear:
      return lower_linear(op, matrix(op.parameters, op.inputs[0], op.outputs[0]), in(0), out(0), forward_phase(op));
    case TrainingKind::linear_weight_gradient:
      return lower_weight_gradient(op, matrix(op.gradients, op.inputs[0], op.inputs[1]), in(0), in(1));
    case TrainingKind::linear_input_gradient:  // the layer's outputs come in
      return lower_linear(op, matrix(op.parameters, op.outputs[0], op.inputs[0]).transposed(), in(0), out(0), "input_gradient");
    case TrainingKind::attention:
      return call(op, tasks_.attention, "attention", forward_phase(op),
                  {{"qkv", in(0)}, {"o", out(0)}, {"lse", out(1)}, {"work", work(work_.attention)}});
    case TrainingKind::attention_gradient: return lower_attention_gradient(op);
    case TrainingKind::gelu:
      return call(op, tasks_.gelu, "gelu", forward_phase(op),
                  {{"x", in(0)}, {"y", out(0)}, {"work", work(work_.gelu)}, {"features", rows(op.inputs[0])}});
    case TrainingKind::gelu_gradient:
      return call(op, tasks_.gelu_gradient, "gelu", "gradient",
                  {{"x", in(0)}, {"dy", in(1)}, {"dx", out(0)}, {"work", work(work_.gelu_gradient)}, {"features", rows(op.inputs[0])}});
    case TrainingKind::residual: return add(forward_phase(op));
    case TrainingKind::gradient_sum: return add("gradient");
    case TrainingKind::rms_norm: return lower_rms_norm(op);
    case TrainingKind::rms_norm_gradient: return lower_rms_norm_gradient(op);
    case TrainingKind::share_keys:
    case TrainingKind::share_keys_gradient: return lower_family_op(op, "share_keys");
    case TrainingKind::rotary:
    case TrainingKind::rotary_gradient: return lower_family_op(op, "rotary");
    case TrainingKind::gelu_erf:
    case TrainingKind::gelu_erf_gradient: return lower_family_op(op, "gelu_erf");
    case TrainingKind::relu:
    case TrainingKind::relu_gradient: return lower_family_op(op, "relu");
    case TrainingKind::swiglu:
    case TrainingKind::swiglu_gradient: return lower_family_op(op, "swiglu");
    case TrainingKind::loss: return lower_loss(op);
    case TrainingKind::loss_gradient: return lower_loss_gradient(op);
    case TrainingKind::embedding_gradient:
      return call(op, tasks_.embedding_gradient, "embedding", "gradient", {{"dx", in(0)}, {"features", rows(op.inputs[0])}},
                  [this, &op](StreamBuilder& stream) { stream.token_gradients(features(op.inputs[0])); });
  }
}

}  // namespace wafersim::workloads
