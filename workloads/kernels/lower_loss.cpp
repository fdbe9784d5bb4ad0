// Lowering of the loss: the vocabulary in chunks, the logits of each computed again for its gradient.
#include "workloads/kernels/lowering.h"

namespace wafersim::workloads {

using sim::Dtype;

// From x to a chunk of the vocabulary; the matrix is stored [vocabulary][width].
Lowering::Matrix Lowering::unembedding(const std::vector<int>& parameters, int x, int chunk) const {
  const LinearPlace place(table_, parameters, MatrixOrder::out_in);
  const BiasIndex bias = [place](int j) { return static_cast<std::uint32_t>(place.bias(j)); };
  return {rows(x),
          spec_.loss_outputs_per_pe,
          [this, x] { return features(x); },
          [this, chunk] {
            return chunk_features(spec_.shape.vocabulary, chunk * spec_.chunk_outputs(), spec_.layout.columns, spec_.loss_outputs_per_pe);
          },
          [place](int i, int j) { return static_cast<std::uint32_t>(place.weight(i, j)); },
          place.has_bias() ? bias : BiasIndex{}};
}

// Words of a chunk's weights and, if any, biases on a column's color.
std::int64_t Lowering::chunk_words(const TrainingOp& op) const {
  const int bias = op.parameters.size() > 1 ? words_of(spec_.loss_outputs_per_pe, spec_.type) : 0;
  return weight_words(spec_.layout, spec_.type, rows(op.inputs[0]), spec_.loss_outputs_per_pe) + bias;
}

void Lowering::lower_loss(const TrainingOp& op) {
  const int x = op.inputs[0];
  targets_ = allocator_.allocate("targets", vector_bytes(), 0);
  const int work = scratch("loss: work", work_.loss, 0);
  call(op, tasks_.loss, "loss", "forward",
       {{"x", address(x)},
        {"lse", address(op.outputs[0])},
        {"targets", targets_},
        {"work", work},
        {"features", rows(x)},
        {"feed", spec_.chunks() * chunk_words(op)}},
       [this, &op, x](StreamBuilder& stream) {
         const FeatureMap in = features(x);
         stream.targets();
         for (int chunk = 0; chunk < spec_.chunks(); ++chunk) {
           const Matrix matrix = unembedding(op.parameters, x, chunk);
           stream.linear_weights(in, matrix.output_map(), matrix.weight);
           if (matrix.bias) stream.biases(matrix.output_map(), matrix.bias);
         }
         stream.loss();
       });
}

// Logits of a chunk again, and their gradient dy.
void Lowering::lower_logit_gradient(const TrainingOp& op, int chunk, int dy) {
  const int x = op.inputs[0], work = scratch("logit gradient: work", work_.loss, 0);
  call(op, tasks_.logit_gradient, "loss", "recompute",
       {{"x", address(x)},
        {"lse", address(op.inputs[1])},
        {"targets", targets_},
        {"dy", dy},
        {"work", work},
        {"features", rows(x)},
        {"first", chunk * spec_.chunk_outputs()},
        {"last", chunk + 1 == spec_.chunks() ? 1 : 0},
        {"feed", 1 + chunk_words(op)}},
       [matrix = unembedding(op.parameters, x, chunk)](StreamBuilder& stream) {
         stream.gradient_scale();
         stream.linear_weights(matrix.input_map(), matrix.output_map(), matrix.weight);
         if (matrix.bias) stream.biases(matrix.output_map(), matrix.bias);
       });
}

void Lowering::lower_loss_gradient(const TrainingOp& op) {
  const int x = op.inputs[0], dx = op.outputs[0], features_of_x = rows(x);
  const bool half = sim::is_half(spec_.type), several = spec_.chunks() > 1;
  const int dy = scratch("d logits", tile_bytes(spec_.loss_outputs_per_pe), 4);
  // With several chunks the input gradient is collected in fp32, the chunks' sums on top of each other.
  const int total = several && half ? scratch("d logits: total", tile32_bytes(features_of_x), 0) : address(dx);
  const int part = several && !half ? scratch("d logits: part", tile32_bytes(features_of_x), 4) : -1;
  const std::size_t kept = scratch_.size();
  for (int chunk = 0; chunk < spec_.chunks(); ++chunk) {
    lower_logit_gradient(op, chunk, dy);
    lower_weight_gradient(op, unembedding(op.gradients, x, chunk), address(x), dy);
    const Matrix back = unembedding(op.parameters, x, chunk).transposed();
    const int partial = scratch("unembedding: partial", vector_bytes(), 4);
    const bool first = chunk == 0;
    const int sums = half ? (several && first ? total : scratch("unembedding: sums", tile32_bytes(features_of_x), 4))
                          : (several && !first ? part : address(dx));
    call(op, tasks_.linear, "linear", "input_gradient",
         {{"x", dy},
          {"inputs", back.inputs},
          {"partial", partial},
          {"sums", sums},
          {"outputs", back.outputs},
          {"y", address(dx)},
          {"biases", 0},
          {"feed", weight_words(spec_.layout, spec_.type, back.inputs, back.outputs)}},
         [back](StreamBuilder& stream) { stream.linear_weights(back.input_map(), back.output_map(), back.weight); });
    if (several && !first)
      call(op, tasks_.accumulate, "accumulate", "input_gradient", {{"y", total}, {"dx", sums}, {"features", features_of_x}});
    free_scratch(kept);
  }
  if (several && half) call(op, tasks_.round, "round", "input_gradient", {{"x", total}, {"y", address(dx)}, {"features", features_of_x}});
  allocator_.free(targets_);
}

}  // namespace wafersim::workloads
