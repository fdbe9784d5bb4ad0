#pragma once
// Where a step's gradients arrive in MemoryX. Those of parameters go straight into the store: those of the first micro-batch are stored,
// later ones added in fp32. Those of embedding rows are kept by token of the batch and added to the tables at the end
// (workloads/NUMERICS.md, 15).

#include <cstdint>
#include <vector>

#include "memoryx/gradient_reader.h"
#include "memoryx/parameter_store.h"
#include "memoryx/tensor_index.h"
#include "memoryx/training.h"

namespace wafersim::memoryx {

class GradientCollector : public GradientSink {
 public:
  // streams: of the plan's calls, in the order in which they run. store outlives the collector; its gradients are the collector's own.
  // Throws Error(invariant) when a word means no element of the store or token of the batch, or when more than one means the loss.
  GradientCollector(const std::vector<const CallStream*>& streams, const TrainingSpec& training, ParameterStore& store,
                    int micro_batches = 1);

  // Clears the gradients. What no word is announced for is complete at `cycle`.
  void begin_step(std::uint64_t cycle);
  void take(const GradientValue& value, std::uint64_t cycle) override;

  bool complete() const { return arrived_ == expected_; }
  std::uint64_t expected_words() const { return expected_; }  // of all systems, one for those that are added on the way
  std::uint64_t arrived_words() const { return arrived_; }
  // Of the last gradient of a tensor so far, of embeddings their tokens' included. Its gradient is complete there once complete().
  std::uint64_t last_arrival(int tensor) const { return last_[static_cast<std::size_t>(tensor)]; }
  // Adds the tokens' gradients to the embedding tables, tokens ascending. REQUIRES complete().
  void scatter_tokens(const std::vector<std::uint32_t>& tokens);
  double loss_sum() const { return loss_sum_; }  // of the micro-batches, ascending

 private:
  std::size_t part_tokens() const { return training_.tokens() / static_cast<std::size_t>(training_.systems * micro_batches_); }

  TrainingSpec training_;
  ParameterStore& store_;
  TensorIndex index_;
  int micro_batches_;
  std::vector<std::uint64_t> last_;     // by tensor
  std::vector<float> token_gradients_;  // [token * width + feature]
  std::vector<int> embedded_;           // the embedding tables; none where no word is a token's
  std::uint64_t expected_ = 0;
  std::uint64_t arrived_ = 0;
  double loss_sum_ = 0.0;
};

}  // namespace wafersim::memoryx
