#pragma once
// What MemoryX sends in a step, channel by channel: the words of a plan's calls in link order, once for each micro-batch, their bits taken
// from the store, the batch and the loss scale when the link asks for them. Call k of micro-batch m is number m * calls + k of the step.
//   fp16 and bf16 words: two values rounded to nearest even, `low` in the low half. fp32 words: the value's bits. Ids as u32.
//   Words of a system's own tokens are sent once for each system, ascending, all others once.
//   A word is ready when its block of the call (stream_work.h) has been read from the store, which is told; a block has left the store's
//   buffer when its last word has been taken.

#include <cstdint>
#include <utility>
#include <vector>

#include "memoryx/io_link.h"
#include "memoryx/parameter_store.h"
#include "memoryx/training.h"

namespace wafersim::memoryx {

class WeightStreamer : public InSource {
 public:
  // streams: of the plan's calls, in the order in which they run. streams and store outlive the streamer. Throws Error(unsupported) for
  // more calls than a start's 16-bit number can tell apart.
  WeightStreamer(const std::vector<const CallStream*>& streams, const LinkTiming& timing, const ParameterStore& store,
                 int micro_batches = 1, int systems = 1);

  // Starts a step's words. `batch`, that of all systems and micro-batches, is kept until the next step. REQUIRES finished(). Throws
  // Error(invariant) for a token that is not there.
  void begin_step(std::uint64_t cycle, const StepBatch& batch, float gradient_scale);
  // A block of a call of the step has been read by `cycle`: its words may leave from `ready` on; of that time so many cycles went by
  // waiting for updates. None may before.
  void set_read(int call, int block, std::uint64_t ready, std::uint64_t update_wait, std::uint64_t cycle);
  // Blocks whose last word was taken, or that have none, since this was asked last.
  struct Left {
    int call = 0, block = 0;
    std::uint64_t cycle = 0;
    friend bool operator==(const Left&, const Left&) = default;
  };
  std::vector<Left> take_left() { return std::exchange(left_blocks_, {}); }
  bool any_left() const { return !left_blocks_.empty(); }

  const InWord* peek(int channel) override;
  void pop(int channel, std::uint64_t cycle) override;
  bool finished() const { return left_ == 0; }
  std::uint64_t words_left() const { return left_; }

 private:
  struct Channel {
    std::vector<const StreamWord*> words;
    std::vector<int> calls;            // of the words
    std::vector<std::uint8_t> blocks;  // of their calls
    int micro_batch = 0;
    std::size_t next = 0;
    int system = 0;     // that words[next] is made for, where it is a system's own
    bool made = false;  // `word` is that of words[next]
    InWord word;
  };
  struct Value {
    float number = 0.0f;
    std::uint32_t bits = 0;
  };

  int call_of(const Channel& channel) const { return channel.micro_batch * calls_ + channel.calls[channel.next]; }
  std::size_t block_of(const Channel& channel) const;  // that words[next] belongs to, in the step
  Value value(const StreamValue& v, const Channel& channel) const;
  Value parameter(std::size_t element) const;

  const ParameterStore& store_;
  int calls_;  // of a micro-batch
  int micro_batches_;
  int systems_;
  std::vector<Channel> channels_;
  // By call of the step and block.
  struct Block {
    std::uint64_t words = 0;  // that have not been taken
    std::uint64_t ready = never, update_wait = 0;
  };
  std::vector<std::uint64_t> block_words_;  // of a micro-batch
  std::vector<Block> blocks_;
  std::vector<Left> left_blocks_;
  std::uint64_t words_ = 0;
  std::uint64_t left_ = 0;
  std::uint64_t began_ = 0;
  StepBatch batch_;
  float gradient_scale_ = 0.0f;
};

}  // namespace wafersim::memoryx
