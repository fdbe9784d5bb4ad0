#include "memoryx/weight_streamer.h"

#include <algorithm>
#include <bit>
#include <string>

#include "sim/error.h"
#include "sim/numerics/elementary.h"

namespace wafersim::memoryx {

WeightStreamer::WeightStreamer(const std::vector<const CallStream*>& streams, const LinkTiming& timing, const ParameterStore& store,
                               int micro_batches, int systems)
    : store_(store),
      index_(store.table()),
      calls_(static_cast<int>(streams.size())),
      micro_batches_(micro_batches),
      systems_(systems),
      channels_(static_cast<std::size_t>(timing.channels())),
      ready_(store.table().entries().size()) {
  constexpr std::size_t most_calls = 65536;
  const std::size_t step_calls = streams.size() * static_cast<std::size_t>(micro_batches);
  if (step_calls > most_calls)
    throw sim::Error(sim::ErrorCategory::unsupported, "a step of " + std::to_string(step_calls) +
                                                          " kernel calls: a wavelet's number tells " + std::to_string(most_calls) +
                                                          " apart; use fewer micro-batches (mapping.micro_batches) or a smaller model");
  std::vector<std::uint8_t> used(ready_.size());
  const auto use = [&](const StreamValue& v) {
    if (v.kind != StreamValue::Kind::parameter && v.kind != StreamValue::Kind::token_row) return;
    const int tensor = index_.of(v.index);
    if (used[static_cast<std::size_t>(tensor)]) return;
    used[static_cast<std::size_t>(tensor)] = 1;
    first_use_.push_back(tensor);
  };
  for (std::size_t call = 0; call < streams.size(); ++call)
    for (const StreamWord& word : streams[call]->in) {
      sim::require_invariant(word.port.row < timing.rows, "a word enters at a row of the wafer");
      Channel& channel = channels_[static_cast<std::size_t>(timing.channel_of(word.port))];
      channel.words.push_back(&word);
      channel.calls.push_back(static_cast<int>(call));
      words_ += static_cast<std::uint64_t>(micro_batches * (of_one_system(word) ? systems : 1));
      use(word.low);
      if (word.packed) use(word.high);
    }
  for (int tensor = 0; tensor < index_.tensors(); ++tensor)
    if (!used[static_cast<std::size_t>(tensor)]) first_use_.push_back(tensor);
  for (Channel& channel : channels_) channel.next = channel.words.size();
}

void WeightStreamer::begin_step(std::uint64_t cycle, const StepBatch& batch, float gradient_scale) {
  sim::require_invariant(finished(), "the words of a step have been sent when the next begins");
  began_ = cycle;
  batch_ = batch;
  gradient_scale_ = gradient_scale;
  left_ = words_;
  spans_.assign(channels_.size(), {});
  for (Channel& channel : channels_) channel.micro_batch = 0, channel.next = 0;
}

WeightStreamer::Value WeightStreamer::parameter(std::size_t element, std::uint64_t& ready) const {
  ready = std::max(ready, ready_[static_cast<std::size_t>(index_.of(element))]);
  const float w = store_.weights()[element];
  return {w, std::bit_cast<std::uint32_t>(w)};
}

WeightStreamer::Value WeightStreamer::value(const StreamValue& v, const Channel& channel, std::uint64_t& ready) const {
  const auto token = [&](const std::vector<std::uint32_t>& ids) {
    const std::size_t tokens = ids.size() / static_cast<std::size_t>(systems_ * micro_batches_);
    sim::require_invariant(v.token < tokens, "a streamed token is one of the micro-batch");
    return ids[static_cast<std::size_t>(channel.system * micro_batches_ + channel.micro_batch) * tokens + v.token];
  };
  switch (v.kind) {
    case StreamValue::Kind::zero: return {};
    case StreamValue::Kind::parameter: return parameter(v.index, ready);
    case StreamValue::Kind::token_row: {
      if (v.token == StreamValue::no_token) return {};
      return parameter(v.index + static_cast<std::size_t>(token(batch_.tokens)) * v.width, ready);
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
  if (channel.made) return &channel.word;
  const StreamWord& word = *channel.words[channel.next];
  std::uint64_t ready = began_;
  const Value low = value(word.low, channel, ready);
  std::uint32_t bits = low.bits;
  if (word.packed) {
    const Value high = value(word.high, channel, ready);
    bits = sim::numerics::to_half(low.number) | static_cast<std::uint32_t>(sim::numerics::to_half(high.number)) << 16;
  }
  channel.word = {word.port, word.color, bits, ready, began_, of_one_system(word) ? channel.system : all_systems};
  channel.made = true;
  return &channel.word;
}

void WeightStreamer::pop(int channel_index, std::uint64_t cycle) {
  Channel& channel = channels_[static_cast<std::size_t>(channel_index)];
  sim::require_invariant(channel.next < channel.words.size(), "a word is taken from a channel that has one");
  count_word(spans_[static_cast<std::size_t>(channel_index)], call_of(channel), cycle);
  channel.made = false;
  --left_;
  if (of_one_system(*channel.words[channel.next]) && ++channel.system < systems_) return;
  channel.system = 0;
  if (++channel.next == channel.words.size() && channel.micro_batch + 1 < micro_batches_) channel.next = 0, ++channel.micro_batch;
}

}  // namespace wafersim::memoryx
