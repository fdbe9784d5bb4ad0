#include "workloads/masked_tokens.h"

#include <utility>

#include "memoryx/training.h"
#include "sim/random.h"
#include "workloads/family.h"

namespace wafersim::workloads {
namespace {

constexpr std::uint64_t stream = std::uint64_t{1} << 40;  // of random numbers; initial weights use the numbers of tensors

constexpr std::uint32_t fraction(double part) { return static_cast<std::uint32_t>(part * 4294967296.0); }

}  // namespace

Batch mask_tokens(Batch batch, int vocabulary, int mask_token, std::uint64_t seed, std::uint64_t step) {
  batch.targets = batch.inputs;
  for (std::size_t i = 0; i < batch.inputs.size(); ++i) {
    const auto [chosen, replaced, any, unused] = sim::random_words(seed, stream, step * batch.inputs.size() + i);
    if (chosen >= fraction(0.15)) {
      batch.targets[i] = memoryx::no_target;
    } else if (replaced < fraction(0.8)) {
      batch.inputs[i] = static_cast<std::uint32_t>(mask_token);
    } else if (replaced < fraction(0.9)) {
      batch.inputs[i] = static_cast<std::uint32_t>(std::uint64_t{any} * static_cast<std::uint64_t>(vocabulary) >> 32);
    }
  }
  return batch;
}

Batch training_batch(const Tokens& tokens, const ModelShape& shape, std::uint64_t seed, std::uint64_t step, int batch, int sequence) {
  Batch next = make_batch(tokens, step, batch, sequence);
  if (family_form(shape).causal) return next;
  return mask_tokens(std::move(next), shape.vocabulary, shape.mask_token, seed, step);
}

}  // namespace wafersim::workloads
