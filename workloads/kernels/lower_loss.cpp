// Lowering of the loss: the vocabulary in chunks, the logits of each computed again for its gradient.
#include "workloads/kernels/lowering.h"

namespace wafersim::workloads {

using sim::Dtype;

FeatureMap Lowering::chunk_outputs(int chunk) const {
  FeatureMap map{spec_.layout.columns, spec_.loss_outputs_per_pe, {}};
  for (int place = 0; place < chunk_size(); ++place) {
    const int j = chunk * chunk_size() + place;
    map.feature.push_back(j < spec_.shape.vocabulary ? j : -1);
  }
  return map;
}

void Lowering::lower_loss(const TrainingOp& op) {
  const int x = op.inputs[0];
  const FeatureMap in = features(x);
  StreamBuilder stream(spec_.layout, spec_.type);
  stream.targets();
  for (int chunk = 0; chunk < chunks(); ++chunk) stream.linear_weights(in, chunk_outputs(chunk), unembedding(op.parameters[0]));
  stream.loss();
  targets_ = allocator_.allocate("targets", vector_bytes(), 0);
  const int work = place("loss: work", work_.loss, 0);
  call(op, tasks_.loss, "loss", "forward",
       {{"x", address(x)},
        {"lse", address(op.outputs[0])},
        {"targets", targets_},
        {"work", work},
        {"features", in.per_column},
        {"feed", stream.relayed_words()}},
       stream.take());
}

void Lowering::lower_loss_gradient(const TrainingOp& op) {
  const int x = op.inputs[0], dx = op.outputs[0], matrix_index = op.parameters[0];
  const FeatureMap in = features(x);
  const bool half = spec_.type == Dtype::f16, several = chunks() > 1;
  const int dy = place("d logits", tile_bytes(spec_.loss_outputs_per_pe), 4);
  // With several chunks the input gradient is collected in fp32, the chunks' sums on top of each other.
  const int total = several && half ? place("d logits: total", tile32_bytes(in.per_column), 0) : address(dx);
  const int part = several && !half ? place("d logits: part", tile32_bytes(in.per_column), 4) : -1;
  const std::size_t kept = scratch_.size();
  for (int chunk = 0; chunk < chunks(); ++chunk) {
    const FeatureMap out = chunk_outputs(chunk);
    StreamBuilder stream(spec_.layout, spec_.type);
    stream.gradient_scale();
    stream.linear_weights(in, out, unembedding(matrix_index));
    const int work = place("logit gradient: work", work_.loss, 0);
    call(op, tasks_.logit_gradient, "loss", "recompute",
         {{"x", address(x)},
          {"lse", address(op.inputs[1])},
          {"targets", targets_},
          {"dy", dy},
          {"work", work},
          {"features", in.per_column},
          {"first", chunk * chunk_size()},
          {"last", chunk + 1 == chunks() ? 1 : 0},
          {"feed", stream.relayed_words()}},
         stream.take());
    lower_weight_gradient(op, in, out, unembedding(matrix_index), address(x), dy, -1);
    StreamBuilder back(spec_.layout, spec_.type);
    back.linear_weights(out, in, transposed(unembedding(matrix_index)));
    const int partial = place("unembedding: partial", vector_bytes(), 4);
    const bool first = chunk == 0;
    const int sums = half ? (several && first ? total : place("unembedding: sums", tile32_bytes(in.per_column), 4))
                          : (several && !first ? part : address(dx));
    call(op, tasks_.linear, "linear", "input_gradient",
         {{"x", dy},
          {"inputs", out.per_column},
          {"partial", partial},
          {"sums", sums},
          {"outputs", in.per_column},
          {"y", address(dx)},
          {"biases", 0},
          {"feed", back.relayed_words()}},
         back.take());
    if (several && !first)
      call(op, tasks_.accumulate, "accumulate", "input_gradient", {{"y", total}, {"dx", sums}, {"features", in.per_column}}, {});
    for (; scratch_.size() > kept; scratch_.pop_back()) allocator_.free(scratch_.back());
  }
  if (several && half)
    call(op, tasks_.round, "round", "input_gradient", {{"x", total}, {"y", address(dx)}, {"features", in.per_column}}, {});
  allocator_.free(targets_);
}

}  // namespace wafersim::workloads
