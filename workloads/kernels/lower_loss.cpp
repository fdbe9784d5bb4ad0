// Lowering of the loss: the vocabulary in chunks, the logits of each computed again for its gradient.
#include "workloads/kernels/lowering.h"

namespace wafersim::workloads {

using sim::Dtype;

// From x to a chunk of the vocabulary; the matrix is stored [vocabulary][width].
Lowering::Matrix Lowering::unembedding(int parameter, int x, int chunk) const {
  const std::uint32_t base = offset(parameter), width = static_cast<std::uint32_t>(spec_.shape.width);
  const auto chunk_map = [this, chunk] {
    return chunk_features(spec_.shape.vocabulary, chunk * spec_.chunk_outputs(), spec_.layout.columns, spec_.loss_outputs_per_pe);
  };
  return {rows(x), spec_.loss_outputs_per_pe, [this, x] { return features(x); }, chunk_map,
          [base, width](int i, int j) { return base + static_cast<std::uint32_t>(j) * width + static_cast<std::uint32_t>(i); }};
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
        {"feed", spec_.chunks() * weight_words(spec_.layout, spec_.type, rows(x), spec_.loss_outputs_per_pe)}},
       [this, &op, x](StreamBuilder& stream) {
         const FeatureMap in = features(x);
         stream.targets();
         for (int chunk = 0; chunk < spec_.chunks(); ++chunk) {
           const Matrix matrix = unembedding(op.parameters[0], x, chunk);
           stream.linear_weights(in, matrix.output_map(), matrix.weight);
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
        {"feed", 1 + weight_words(spec_.layout, spec_.type, rows(x), spec_.loss_outputs_per_pe)}},
       [matrix = unembedding(op.parameters[0], x, chunk)](StreamBuilder& stream) {
         stream.gradient_scale();
         stream.linear_weights(matrix.input_map(), matrix.output_map(), matrix.weight);
       });
}

void Lowering::lower_loss_gradient(const TrainingOp& op) {
  const int x = op.inputs[0], dx = op.outputs[0], features_of_x = rows(x);
  const bool half = spec_.type == Dtype::f16, several = spec_.chunks() > 1;
  const int dy = scratch("d logits", tile_bytes(spec_.loss_outputs_per_pe), 4);
  // With several chunks the input gradient is collected in fp32, the chunks' sums on top of each other.
  const int total = several && half ? scratch("d logits: total", tile32_bytes(features_of_x), 0) : address(dx);
  const int part = several && !half ? scratch("d logits: part", tile32_bytes(features_of_x), 4) : -1;
  const std::size_t kept = scratch_.size();
  for (int chunk = 0; chunk < spec_.chunks(); ++chunk) {
    lower_logit_gradient(op, chunk, dy);
    lower_weight_gradient(op, unembedding(op.gradients[0], x, chunk), address(x), dy, -1);
    const Matrix back = unembedding(op.parameters[0], x, chunk).transposed();
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
