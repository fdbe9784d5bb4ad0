#include "memoryx/gradient_collector.h"

#include <algorithm>

#include "memoryx/stream_work.h"
#include "sim/error.h"
#include "sim/numerics/elementary.h"

namespace wafersim::memoryx {

GradientCollector::GradientCollector(const std::vector<const CallStream*>& streams, const TrainingSpec& training, ParameterStore& store,
                                     int micro_batches)
    : training_(training), store_(store), micro_batches_(micro_batches) {
  int losses = 0;
  std::size_t all_tokens = 0;
  for (const CallStream* stream : streams) {
    std::size_t added = 0, token_words = 0;
    for (const CallStream::PortWords& out : stream->out)
      for (const GradientWord& word : out.words) {
        ++(word.kind == GradientWord::Kind::token_row ? token_words : added);
        switch (word.kind) {
          case GradientWord::Kind::discard: break;
          case GradientWord::Kind::loss: ++losses; break;
          case GradientWord::Kind::parameter:
            sim::require_invariant(word.index < store.size(), "a gradient that is announced is of an element of the store");
            break;
          case GradientWord::Kind::token_row:
            sim::require_invariant(word.token < part_tokens() && word.index < static_cast<std::uint32_t>(training.embedding.width),
                                   "a token's gradient is that of a feature of a token of the micro-batch");
            break;
        }
      }
    call_words_.push_back(added + token_words * static_cast<std::size_t>(training.systems));
    expected_ += call_words_.back() * static_cast<std::size_t>(micro_batches);
    all_tokens += token_words;
  }
  sim::require_invariant(losses <= 1, "one word of a micro-batch is its loss");
  if (all_tokens == 0) return;
  token_gradients_.resize(training.tokens() * static_cast<std::size_t>(training.embedding.width));
}

void GradientCollector::begin_step() {
  store_.clear_gradients();
  come_.assign(call_words_.size() * static_cast<std::size_t>(micro_batches_), 0);
  std::fill(token_gradients_.begin(), token_gradients_.end(), 0.0f);
  spans_.clear();
  arrived_ = 0;
  loss_sum_ = 0.0;
}

void GradientCollector::take(const GradientValue& from, std::uint64_t cycle) {
  const GradientWord& word = from.word;
  switch (word.kind) {
    case GradientWord::Kind::discard: break;
    case GradientWord::Kind::loss: loss_sum_ += static_cast<double>(from.value); break;
    case GradientWord::Kind::parameter: {
      float& gradient = store_.gradients()[word.index];
      gradient = from.micro_batch == 0 ? from.value : sim::numerics::add(gradient, from.value);
      break;
    }
    case GradientWord::Kind::token_row: {
      const std::size_t before = static_cast<std::size_t>(from.system * micro_batches_ + from.micro_batch) * part_tokens();
      token_gradients_[(before + word.token) * static_cast<std::size_t>(training_.embedding.width) + word.index] = from.value;
      break;
    }
  }
  ++arrived_;
  const std::size_t call = static_cast<std::size_t>(from.micro_batch) * call_words_.size() + static_cast<std::size_t>(from.call);
  const std::uint64_t words = call_words_[static_cast<std::size_t>(from.call)], before = blocks_a_call * come_[call] / words;
  const std::uint64_t blocks = blocks_a_call * ++come_[call] / words - before;
  count_word(spans_, static_cast<int>(call), cycle - 1, cycle);
  if (blocks > 0) shares_.push_back({static_cast<int>(call), static_cast<double>(blocks) / blocks_a_call, come_[call] == words, cycle});
}

void GradientCollector::scatter_tokens(const std::vector<std::uint32_t>& tokens) {
  sim::require_invariant(complete(), "the gradients of tokens are added when all have arrived");
  const std::size_t width = static_cast<std::size_t>(training_.embedding.width);
  const std::size_t sequence = static_cast<std::size_t>(training_.sequence);
  std::vector<float>& gradients = store_.gradients();
  for (std::size_t token = 0; token * width < token_gradients_.size(); ++token) {
    const float* dx = &token_gradients_[token * width];
    const auto add_to = [&](std::size_t row) {
      for (std::size_t f = 0; f < width; ++f) gradients[row + f] = sim::numerics::add(gradients[row + f], dx[f]);
    };
    add_to(training_.embedding.token + tokens[token] * width);
    if (training_.embedding.position) add_to(*training_.embedding.position + token % sequence * width);
    if (training_.embedding.type) add_to(*training_.embedding.type);
  }
}

}  // namespace wafersim::memoryx
