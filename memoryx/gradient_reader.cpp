#include "memoryx/gradient_reader.h"

#include <algorithm>
#include <bit>
#include <string>

#include "sim/error.h"

namespace wafersim::memoryx {

GradientReader::GradientReader(const std::vector<const CallStream*>& streams, const LinkTiming& timing, int micro_batches, int system,
                               GradientSink& sink)
    : timing_(timing),
      calls_(static_cast<int>(streams.size())),
      micro_batches_(micro_batches),
      system_(system),
      sink_(sink),
      ports_(static_cast<std::size_t>(timing.ports())) {
  int sequences = 0;
  for (std::size_t call = 0; call < streams.size(); ++call)
    for (const CallStream::PortWords& out : streams[call]->out) {
      if (out.words.empty()) continue;
      sim::require_invariant(out.port.row < timing.rows, "a word leaves at a row of the wafer");
      Sequence* sequence = find(out.port, out.color);
      if (sequence == nullptr)
        sequence = &ports_[static_cast<std::size_t>(timing.port_index(out.port))].emplace_back(
            Sequence{sequences++, out.port, out.color, {}, 0, 0, 0});
      sequence->segments.push_back({static_cast<int>(call), &out.words});
      expected_ += out.words.size() * static_cast<std::size_t>(micro_batches);
    }
}

GradientReader::Sequence* GradientReader::find(Port port, std::uint8_t color) {
  for (Sequence& sequence : ports_[static_cast<std::size_t>(timing_.port_index(port))])
    if (sequence.color == color) return &sequence;
  return nullptr;
}

void GradientReader::begin_step() {
  for (std::vector<Sequence>& port : ports_)
    for (Sequence& sequence : port) sequence.micro_batch = 0, sequence.segment = sequence.word = 0;
  arrived_ = 0;
  spans_.assign(static_cast<std::size_t>(timing_.channels()), {});
}

void GradientReader::arrive(Port port, std::uint8_t color, std::uint32_t bits, std::uint64_t cycle) {
  Sequence* sequence = find(port, color);
  if (sequence == nullptr || sequence->segment == sequence->segments.size())
    throw sim::Error(sim::ErrorCategory::invariant,
                     "a word of color " + std::to_string(color) + " leaves the wafer at row " + std::to_string(port.row) + " of the " +
                         (port.side == Port::Side::west ? "west" : "east") + " edge, but no call announces it");
  Sequence& state = *sequence;
  const std::vector<GradientWord>& words = *state.segments[state.segment].words;
  const GradientWord& word = words[state.word];
  const int system = of_one_system(word) ? system_ : all_systems;
  const int call = state.segments[state.segment].call;
  count_word(spans_[static_cast<std::size_t>(timing_.channel_of(port))], state.micro_batch * calls_ + call,
             cycle - (timing_.word_numerator + timing_.word_denominator - 1) / timing_.word_denominator, cycle);
  ++arrived_;
  sink_.take({word, std::bit_cast<float>(bits), state.micro_batch, call, system, state.number}, cycle);
  if (++state.word < words.size()) return;
  state.word = 0;
  if (++state.segment == state.segments.size() && state.micro_batch + 1 < micro_batches_) state.segment = 0, ++state.micro_batch;
}

std::optional<GradientReader::Missing> GradientReader::first_missing() const {
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
