#pragma once
// What the words that leave a wafer mean: every word of every port and color finds its meaning in the plan's calls, in order, once for each
// micro-batch. A word that no call announces is an Error(invariant).

#include <cstdint>
#include <optional>
#include <vector>

#include "memoryx/call_span.h"
#include "memoryx/io_link.h"

namespace wafersim::memoryx {

// A word with its meaning, on its way to MemoryX.
struct GradientValue {
  GradientWord word;
  float value = 0.0f;
  int micro_batch = 0;
  int call = 0;              // of the micro-batch
  int system = all_systems;  // whose token it belongs to; all_systems: it is added to those of the others
  int sequence = 0;          // its port's color, the same on all wafers of a plan
};

class GradientSink {
 public:
  virtual ~GradientSink() = default;
  virtual void take(const GradientValue& value, std::uint64_t cycle) = 0;
};

class GradientReader : public OutSink {
 public:
  // streams: of the plan's calls, in the order in which they run; they and the sink outlive the reader. system: number of the wafer.
  GradientReader(const std::vector<const CallStream*>& streams, const LinkTiming& timing, int micro_batches, int system,
                 GradientSink& sink);

  void begin_step();
  void arrive(Port port, std::uint8_t color, std::uint32_t bits, std::uint64_t cycle) override;

  bool complete() const { return arrived_ == expected_; }
  std::uint64_t expected_words() const { return expected_; }  // of a step
  std::uint64_t arrived_words() const { return arrived_; }
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
    int number;
    Port port;
    std::uint8_t color;
    std::vector<Segment> segments;  // none empty
    int micro_batch = 0;
    std::size_t segment = 0, word = 0;
  };

  Sequence* find(Port port, std::uint8_t color);  // nullptr: nothing is announced there

  LinkTiming timing_;
  int calls_;  // of a micro-batch
  int micro_batches_;
  int system_;
  GradientSink& sink_;
  std::vector<std::vector<Sequence>> ports_;  // few colors each
  std::vector<std::vector<CallSpan>> spans_;
  std::uint64_t expected_ = 0;
  std::uint64_t arrived_ = 0;
};

}  // namespace wafersim::memoryx
