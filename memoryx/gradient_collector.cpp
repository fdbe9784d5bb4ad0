#include "memoryx/gradient_collector.h"

#include <algorithm>
#include <bit>
#include <string>

#include "sim/error.h"

namespace wafersim::memoryx {

GradientCollector::GradientCollector(const std::vector<const CallStream*>& streams, const LinkTiming& timing, const TrainingSpec& training,
                                     ParameterStore& store, int micro_batches)
    : timing_(timing),
      training_(training),
      store_(store),
      index_(store.table()),
      calls_(static_cast<int>(streams.size())),
      micro_batches_(micro_batches),
      ports_(static_cast<std::size_t>(timing.ports())),
      last_(store.table().entries().size()) {
  const std::size_t tokens = training.tokens() / static_cast<std::size_t>(micro_batches);
  int losses = 0;
  bool with_tokens = false;
  for (std::size_t call = 0; call < streams.size(); ++call)
    for (const CallStream::PortWords& out : streams[call]->out) {
      if (out.words.empty()) continue;
      sim::require_invariant(out.port.row < timing.rows, "a word leaves at a row of the wafer");
      Sequence* sequence = find(out.port, out.color);
      if (sequence == nullptr)
        sequence = &ports_[static_cast<std::size_t>(timing.port_index(out.port))].emplace_back(Sequence{out.port, out.color, {}, 0, 0, 0});
      sequence->segments.push_back({static_cast<int>(call), &out.words});
      expected_ += out.words.size() * static_cast<std::size_t>(micro_batches);
      for (const GradientWord& word : out.words) switch (word.kind) {
          case GradientWord::Kind::discard: break;
          case GradientWord::Kind::loss: ++losses; break;
          case GradientWord::Kind::parameter: index_.of(word.index); break;
          case GradientWord::Kind::token_row:
            sim::require_invariant(word.token < tokens && word.index < static_cast<std::uint32_t>(training.embedding.width),
                                   "a token's gradient is that of a feature of a token of the micro-batch");
            with_tokens = true;
            break;
        }
    }
  sim::require_invariant(losses <= 1, "one word of a micro-batch is its loss");
  if (!with_tokens) return;
  token_gradients_.resize(training.tokens() * static_cast<std::size_t>(training.embedding.width));
  embedded_.push_back(index_.of(training.embedding.token));
  for (const std::optional<std::size_t>& rows : {training.embedding.position, training.embedding.type})
    if (rows) embedded_.push_back(index_.of(*rows));
}

GradientCollector::Sequence* GradientCollector::find(Port port, std::uint8_t color) {
  for (Sequence& sequence : ports_[static_cast<std::size_t>(timing_.port_index(port))])
    if (sequence.color == color) return &sequence;
  return nullptr;
}

void GradientCollector::begin_step(std::uint64_t cycle) {
  store_.clear_gradients();
  std::fill(last_.begin(), last_.end(), cycle);
  std::fill(token_gradients_.begin(), token_gradients_.end(), 0.0f);
  for (std::vector<Sequence>& port : ports_)
    for (Sequence& sequence : port) sequence.micro_batch = 0, sequence.segment = sequence.word = 0;
  arrived_ = 0;
  loss_sum_ = 0.0;
  spans_.assign(static_cast<std::size_t>(timing_.channels()), {});
}

void GradientCollector::arrive(Port port, std::uint8_t color, std::uint32_t bits, std::uint64_t cycle) {
  Sequence* sequence = find(port, color);
  if (sequence == nullptr || sequence->segment == sequence->segments.size())
    throw sim::Error(sim::ErrorCategory::invariant,
                     "a word of color " + std::to_string(color) + " leaves the wafer at row " + std::to_string(port.row) + " of the " +
                         (port.side == Port::Side::west ? "west" : "east") + " edge, but no call announces it");
  Sequence& state = *sequence;
  const std::vector<GradientWord>& words = *state.segments[state.segment].words;
  const GradientWord& word = words[state.word];
  const float value = std::bit_cast<float>(bits);
  switch (word.kind) {
    case GradientWord::Kind::discard: break;
    case GradientWord::Kind::loss: loss_sum_ += static_cast<double>(value); break;
    case GradientWord::Kind::parameter: {
      float& gradient = store_.gradients()[word.index];
      gradient = state.micro_batch == 0 ? value : gradient + value;
      last_[static_cast<std::size_t>(index_.of(word.index))] = cycle;
      break;
    }
    case GradientWord::Kind::token_row: {
      const std::size_t before =
          static_cast<std::size_t>(state.micro_batch) * (training_.tokens() / static_cast<std::size_t>(micro_batches_));
      token_gradients_[(before + word.token) * static_cast<std::size_t>(training_.embedding.width) + word.index] = value;
      for (const int table : embedded_) last_[static_cast<std::size_t>(table)] = cycle;
      break;
    }
  }
  count_word(spans_[static_cast<std::size_t>(timing_.channel_of(port))], state.micro_batch * calls_ + state.segments[state.segment].call,
             cycle);
  ++arrived_;
  if (++state.word < words.size()) return;
  state.word = 0;
  if (++state.segment == state.segments.size() && state.micro_batch + 1 < micro_batches_) state.segment = 0, ++state.micro_batch;
}

void GradientCollector::scatter_tokens(const std::vector<std::uint32_t>& tokens) {
  sim::require_invariant(complete(), "the gradients of tokens are added when all have arrived");
  const std::size_t width = static_cast<std::size_t>(training_.embedding.width);
  const std::size_t sequence = static_cast<std::size_t>(training_.sequence);
  std::vector<float>& gradients = store_.gradients();
  for (std::size_t token = 0; token * width < token_gradients_.size(); ++token) {
    const float* dx = &token_gradients_[token * width];
    const auto add_to = [&](std::size_t row) {
      for (std::size_t f = 0; f < width; ++f) gradients[row + f] = gradients[row + f] + dx[f];
    };
    add_to(training_.embedding.token + tokens[token] * width);
    if (training_.embedding.position) add_to(*training_.embedding.position + token % sequence * width);
    if (training_.embedding.type) add_to(*training_.embedding.type);
  }
}

std::optional<GradientCollector::Missing> GradientCollector::first_missing() const {
  std::optional<Missing> first;
  for (const std::vector<Sequence>& port : ports_)
    for (const Sequence& sequence : port) {
      if (sequence.segment == sequence.segments.size()) continue;
      const Missing missing{sequence.port, sequence.color, sequence.micro_batch, sequence.segments[sequence.segment].call, sequence.word};
      const auto number = [&](const Missing& m) { return m.micro_batch * calls_ + m.call; };
      if (!first || number(missing) < number(*first)) first = missing;
    }
  return first;
}

}  // namespace wafersim::memoryx
