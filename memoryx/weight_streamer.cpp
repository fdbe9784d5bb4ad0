#include "memoryx/weight_streamer.h"

#include <algorithm>
#include <bit>
#include <string>

#include "memoryx/stream_work.h"
#include "sim/error.h"
#include "sim/numerics/storage.h"

namespace wafersim::memoryx {

WeightStreamer::WeightStreamer(const std::vector<const CallStream*>& streams, const LinkTiming& timing, const ParameterStore& store,
                               int micro_batches, int systems)
    : store_(store),
      calls_(static_cast<int>(streams.size())),
      micro_batches_(micro_batches),
      systems_(systems),
      channels_(static_cast<std::size_t>(timing.channels())),
      block_words_(streams.size() * blocks_a_call) {
  constexpr std::size_t most_calls = 65536;
  const std::size_t step_calls = streams.size() * static_cast<std::size_t>(micro_batches);
  if (step_calls > most_calls)
    throw sim::Error(sim::ErrorCategory::unsupported, "a step of " + std::to_string(step_calls) +
                                                          " kernel calls: a wavelet's number tells " + std::to_string(most_calls) +
                                                          " apart; use fewer micro-batches (mapping.micro_batches) or a smaller model");
  for (std::size_t call = 0; call < streams.size(); ++call) {
    const std::vector<std::uint8_t> blocks = block_numbers(*streams[call], timing);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const StreamWord& word = streams[call]->in[i];
      sim::require_invariant(word.port.row < timing.rows, "a word enters at a row of the wafer");
      Channel& channel = channels_[static_cast<std::size_t>(timing.channel_of(word.port))];
      channel.words.push_back(&word);
      channel.calls.push_back(static_cast<int>(call));
      channel.blocks.push_back(blocks[i]);
      const auto words = static_cast<std::uint64_t>(of_one_system(word) ? systems : 1);
      block_words_[call * blocks_a_call + blocks[i]] += words;
      words_ += words * static_cast<std::uint64_t>(micro_batches);
    }
  }
  for (Channel& channel : channels_) channel.next = channel.words.size();
}

void WeightStreamer::begin_step(std::uint64_t cycle, const StepBatch& batch, float gradient_scale) {
  sim::require_invariant(finished(), "the words of a step have been sent when the next begins");
  began_ = cycle;
  batch_ = batch;
  gradient_scale_ = gradient_scale;
  left_ = words_;
  for (Channel& channel : channels_) channel.micro_batch = 0, channel.next = 0;
  blocks_.clear();
  for (int m = 0; m < micro_batches_; ++m)
    for (const std::uint64_t words : block_words_) blocks_.push_back({words, never, 0});
}

void WeightStreamer::set_read(int call, int block, std::uint64_t ready, std::uint64_t update_wait, std::uint64_t cycle) {
  Block& read = blocks_[static_cast<std::size_t>(call) * blocks_a_call + static_cast<std::size_t>(block)];
  read.ready = ready;
  read.update_wait = update_wait;
  if (read.words == 0) left_blocks_.push_back({call, block, cycle});
}

std::size_t WeightStreamer::block_of(const Channel& channel) const {
  return static_cast<std::size_t>(call_of(channel)) * blocks_a_call + channel.blocks[channel.next];
}

WeightStreamer::Value WeightStreamer::parameter(std::size_t element) const {
  sim::require_invariant(element < store_.size(), "a streamed element lies in the parameter store");
  const float w = store_.weights()[element];
  return {w, std::bit_cast<std::uint32_t>(w)};
}

WeightStreamer::Value WeightStreamer::value(const StreamValue& v, const Channel& channel) const {
  const auto token = [&](const std::vector<std::uint32_t>& ids) {
    const std::size_t tokens = ids.size() / static_cast<std::size_t>(systems_ * micro_batches_);
    sim::require_invariant(v.token < tokens, "a streamed token is one of the micro-batch");
    return ids[static_cast<std::size_t>(channel.system * micro_batches_ + channel.micro_batch) * tokens + v.token];
  };
  switch (v.kind) {
    case StreamValue::Kind::zero: return {};
    case StreamValue::Kind::parameter: return parameter(v.index);
    case StreamValue::Kind::token_row: {
      if (v.token == StreamValue::no_token) return {};
      return parameter(v.index + static_cast<std::size_t>(token(batch_.tokens)) * v.width);
    }
    case StreamValue::Kind::target: return {0.0f, v.token == StreamValue::no_token ? StreamValue::no_token : token(batch_.targets)};
    case StreamValue::Kind::gradient_scale: return {gradient_scale_, std::bit_cast<std::uint32_t>(gradient_scale_)};
    case StreamValue::Kind::word: return {0.0f, v.index};
    case StreamValue::Kind::start: return {0.0f, v.index | static_cast<std::uint32_t>(call_of(channel))};
  }
  return {};
}

const InWord* WeightStreamer::peek(int channel_index) {
  Channel& channel = channels_[static_cast<std::size_t>(channel_index)];
  if (channel.next == channel.words.size()) return nullptr;
  const Block& block = blocks_[block_of(channel)];
  channel.word.ready_cycle = block.ready;
  channel.word.update_wait = block.update_wait;
  if (channel.made) return &channel.word;
  const StreamWord& word = *channel.words[channel.next];
  const Value low = value(word.low, channel);
  std::uint32_t bits = low.bits;
  if (word.packed()) {
    const Value high = value(word.high, channel);
    bits = sim::numerics::to_16_bits(word.type, low.number) | static_cast<std::uint32_t>(sim::numerics::to_16_bits(word.type, high.number))
                                                                  << 16;
  }
  channel.word = {
      word.port,       word.color, bits, block.ready, began_, block.update_wait, of_one_system(word) ? channel.system : all_systems,
      call_of(channel)};
  channel.made = true;
  return &channel.word;
}

void WeightStreamer::pop(int channel_index, std::uint64_t cycle) {
  Channel& channel = channels_[static_cast<std::size_t>(channel_index)];
  sim::require_invariant(channel.next < channel.words.size(), "a word is taken from a channel that has one");
  channel.made = false;
  --left_;
  if (--blocks_[block_of(channel)].words == 0) left_blocks_.push_back({call_of(channel), channel.blocks[channel.next], cycle});
  if (of_one_system(*channel.words[channel.next]) && ++channel.system < systems_) return;
  channel.system = 0;
  if (++channel.next == channel.words.size() && channel.micro_batch + 1 < micro_batches_) channel.next = 0, ++channel.micro_batch;
}

}  // namespace wafersim::memoryx
