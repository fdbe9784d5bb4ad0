#pragma once
// Where a step's gradients arrive in MemoryX. Those of parameters go straight into the store: those of the first micro-batch are stored,
// later ones added in fp32. Those of embedding rows are kept by token of the batch and added to the tables at the end
// (workloads/NUMERICS.md, 15).

#include <cstdint>
#include <utility>
#include <vector>

#include "memoryx/gradient_reader.h"
#include "memoryx/parameter_store.h"
#include "memoryx/training.h"

namespace wafersim::memoryx {

class GradientCollector : public GradientSink {
 public:
  // streams: of the plan's calls, in the order in which they run. store outlives the collector; its gradients are the collector's own.
  // Throws Error(invariant) when a word means no element of the store or token of the batch, or when more than one means the loss.
  GradientCollector(const std::vector<const CallStream*>& streams, const TrainingSpec& training, ParameterStore& store,
                    int micro_batches = 1);

  void begin_step();  // clears the gradients
  void take(const GradientValue& value, std::uint64_t cycle) override;

  bool complete() const { return arrived_ == expected_; }
  std::uint64_t expected_words() const { return expected_; }  // of all systems, one for those that are added on the way
  std::uint64_t arrived_words() const { return arrived_; }
  // Sixteenths of the words of calls, numbered micro-batch after micro-batch, that arrived since this was asked last.
  struct Arrived {
    int call = 0;
    double share = 0;
    bool last = false;
    std::uint64_t cycle = 0;
  };
  std::vector<Arrived> take_arrived() { return std::exchange(shares_, {}); }
  bool any_arrived() const { return !shares_.empty(); }
  // Adds the tokens' gradients to the embedding tables, tokens ascending. REQUIRES complete().
  void scatter_tokens(const std::vector<std::uint32_t>& tokens);
  const std::vector<CallSpan>& spans() const { return spans_; }  // when each call's words of the step arrived, each in a cycle
  double loss_sum() const { return loss_sum_; }                  // of the micro-batches, ascending

 private:
  std::size_t part_tokens() const { return training_.tokens() / static_cast<std::size_t>(training_.systems * micro_batches_); }

  TrainingSpec training_;
  ParameterStore& store_;
  int micro_batches_;
  std::vector<std::uint64_t> call_words_;  // of a micro-batch, of all systems
  std::vector<std::uint64_t> come_;        // of them, by call of the step
  std::vector<Arrived> shares_;
  std::vector<CallSpan> spans_;
  std::vector<float> token_gradients_;  // [token * width + feature]
  std::uint64_t expected_ = 0;
  std::uint64_t arrived_ = 0;
  double loss_sum_ = 0.0;
};

}  // namespace wafersim::memoryx
