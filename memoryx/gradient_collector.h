#pragma once
// Where a step's gradients arrive: every word of every port and color finds its meaning in the plan's calls, in order, once for each
// micro-batch. Gradients of parameters go straight into the store: those of the first micro-batch are stored, later ones added in fp32.
// Those of embedding rows are kept by token and added to the tables at the end (workloads/NUMERICS.md, 15).
// A word that no call announces is an Error(invariant).

#include <cstdint>
#include <optional>
#include <vector>

#include "memoryx/call_span.h"
#include "memoryx/io_link.h"
#include "memoryx/parameter_store.h"
#include "memoryx/tensor_index.h"
#include "memoryx/training.h"

namespace wafersim::memoryx {

class GradientCollector : public OutSink {
 public:
  // streams: of the plan's calls, in the order in which they run. streams and store outlive the collector; the store's gradients are its
  // own. Throws Error(invariant) when a word means no element of the store or token of the batch, or when more than one means the loss.
  GradientCollector(const std::vector<const CallStream*>& streams, const LinkTiming& timing, const TrainingSpec& training,
                    ParameterStore& store, int micro_batches = 1);

  // Clears the gradients. What no word is announced for is complete at `cycle`.
  void begin_step(std::uint64_t cycle);
  void arrive(Port port, std::uint8_t color, std::uint32_t bits, std::uint64_t cycle) override;

  bool complete() const { return arrived_ == expected_; }
  std::uint64_t expected_words() const { return expected_; }
  std::uint64_t arrived_words() const { return arrived_; }
  // Of the last gradient of a tensor so far, of embeddings their tokens' included. Its gradient is complete there once complete().
  std::uint64_t last_arrival(int tensor) const { return last_[static_cast<std::size_t>(tensor)]; }
  // Adds the tokens' gradients to the embedding tables, tokens ascending. REQUIRES complete().
  void scatter_tokens(const std::vector<std::uint32_t>& tokens);
  double loss_sum() const { return loss_sum_; }  // of the micro-batches, ascending
  // When each call's words of the step arrived, by channel.
  const std::vector<std::vector<CallSpan>>& spans() const { return spans_; }

  // The next word that a port's color waits for: its place among the color's words of a call. Of several the one of the earliest call.
  struct Missing {
    Port port;
    std::uint8_t color = 0;
    int micro_batch = 0;
    int call = 0;
    std::size_t word = 0;
  };
  std::optional<Missing> first_missing() const;

 private:
  struct Segment {
    int call;
    const std::vector<GradientWord>* words;
  };
  struct Sequence {
    Port port;
    std::uint8_t color;
    std::vector<Segment> segments;  // none empty
    int micro_batch = 0;
    std::size_t segment = 0, word = 0;
  };

  Sequence* find(Port port, std::uint8_t color);  // nullptr: nothing is announced there

  LinkTiming timing_;
  TrainingSpec training_;
  ParameterStore& store_;
  TensorIndex index_;
  int calls_;  // of a micro-batch
  int micro_batches_;
  std::vector<std::vector<Sequence>> ports_;  // few colors each
  std::vector<std::uint64_t> last_;           // by tensor
  std::vector<float> token_gradients_;        // [token * width + feature]
  std::vector<int> embedded_;                 // the embedding tables; none where no word is a token's
  std::vector<std::vector<CallSpan>> spans_;
  std::uint64_t expected_ = 0;
  std::uint64_t arrived_ = 0;
  double loss_sum_ = 0.0;
};

}  // namespace wafersim::memoryx
