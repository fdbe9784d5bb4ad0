#include "models/block_flow.h"

#include <algorithm>

#include "sim/error.h"

namespace wafersim::models {

void Passage::extend(double words, double begin, double end) {
  if (words <= 0) return;
  pieces_.push_back({total_, words, begin, std::max(begin, end)});
  total_ += words;
}

double Passage::time_of(double position) const {
  if (position <= 0) return 0.0;
  for (auto piece = pieces_.rbegin(); piece != pieces_.rend(); ++piece)
    if (position > piece->first) {
      const double part = std::min(1.0, (position - piece->first) / piece->words);
      return piece->begin + part * (piece->end - piece->begin);
    }
  return 0.0;
}

void Passage::forget(double position) {
  while (!pieces_.empty() && pieces_.front().first + pieces_.front().words < position) pieces_.pop_front();
}

InFlow::InFlow(const memoryx::LinkTiming& timing)
    : word_cycles_(4.0 / timing.bytes_per_cycle()),
      latency_(static_cast<double>(timing.latency_cycles + timing.edge_latency_cycles)),
      channels_(static_cast<std::size_t>(timing.channels())),
      busy_(channels_.size()) {}

InFlow::Block InFlow::consume(const LinkLoad& load, double share, bool first, double supplied, double begin, double cycles) {
  Block block;
  double ready = begin, ready_without_supply = begin, end = begin, end_without_supply = begin;
  const auto words_of = [&](std::size_t channel, int kind) {
    const LinkLoad::Part& part = load.in[channel].parts[kind];
    return part.first ? (first ? part.words : 0) : part.words * share;
  };
  std::vector<double> sent(channels_.size());
  for (std::size_t c = 0; c < channels_.size(); ++c) {
    const Channel& channel = channels_[c];
    double all = 0, ahead = 0, sending = 0, free = channel.sent;
    for (int kind = 0; kind < port_kinds; ++kind) {
      const double words = words_of(c, kind), queue = load.in[c].parts[kind].queue;
      if (words <= 0) continue;
      all += words;
      if (load.in[c].parts[kind].first) ahead += words;
      // With its queues empty and its kernel waiting, a channel sends what one round trip's credits allow.
      sending = std::max(sending, words * (latency_ + 2) / queue);
      const Passage& consumption = channel.consumption[kind];
      free = std::max(free, consumption.time_of(consumption.total() + std::min(1.0, words) - queue));
    }
    if (all <= 0) continue;
    sending = std::max(sending, all * word_cycles_);
    const double begun = std::max(free, supplied), of_ahead = ahead * word_cycles_ + latency_;
    sent[c] = begun + sending;
    block.edges[c < channels_.size() / 2 ? west_edge : east_edge].add(all, begun, sent[c]);
    busy_[c] += all * word_cycles_;
    words_ += all;
    if (ahead > 0) {
      ready = std::max(ready, begun + of_ahead);
      ready_without_supply = std::max(ready_without_supply, free + of_ahead);
    }
    end = std::max(end, sent[c] + latency_);
    end_without_supply = std::max(end_without_supply, free + sending + latency_);
  }
  end = std::max(end, ready + cycles);
  end_without_supply = std::max(end_without_supply, ready_without_supply + cycles);
  for (std::size_t c = 0; c < channels_.size(); ++c) {
    channels_[c].sent = std::max(channels_[c].sent, sent[c]);
    for (int kind = 0; kind < port_kinds; ++kind) {
      const double words = words_of(c, kind);
      if (words <= 0) continue;
      Passage& consumption = channels_[c].consumption[kind];
      consumption.extend(words, begin, end);
      const double last = consumption.total() - load.in[c].parts[kind].queue;
      channels_[c].sent = std::max(channels_[c].sent, consumption.time_of(last));
      consumption.forget(last);
    }
  }
  block.end = end;
  block.supply_wait = end - end_without_supply;
  return block;
}

OutFlow::OutFlow(const memoryx::LinkTiming& timing)
    : word_cycles_(4.0 / timing.bytes_per_cycle()),
      latency_(static_cast<double>(timing.latency_cycles + timing.edge_latency_cycles)),
      free_(static_cast<std::size_t>(timing.channels())),
      sent_(free_.size()),
      busy_(free_.size()) {}

OutFlow::Block OutFlow::produce(const LinkLoad& load, double share, double begin, double cycles) {
  Block block;
  block.produced = begin + cycles;
  const auto for_each_part = [&](auto&& visit) {
    for (std::size_t c = 0; c < sent_.size(); ++c)
      for (int kind = 0; kind < port_kinds; ++kind) {
        const double words = load.out[c].parts[kind].words * share;
        if (words > 0) visit(c, sent_[c][kind], words, load.out[c].parts[kind].queue, std::max(free_[c], begin));
      }
  };
  for_each_part([&](std::size_t c, const Passage& sent, double words, double queue, double start) {
    // The last word finds room when the word that is a queue's length before it has left.
    const double before = sent.total() + words - queue;
    const double room = before > sent.total() ? start + (before - sent.total()) * word_cycles_ : sent.time_of(before);
    block.produced = std::max(block.produced, room);
    busy_[c] += words * word_cycles_;
    words_ += words;
  });
  for_each_part([&](std::size_t c, Passage& sent, double words, double queue, double start) {
    const double end = std::max(start + words * word_cycles_, block.produced + word_cycles_);
    sent.extend(words, start, end);
    free_[c] = end;
    block.edges[c < sent_.size() / 2 ? west_edge : east_edge].add(words, start, end);
    sent.forget(sent.total() - queue);
    block.arrived = std::max(block.arrived, end + latency_);
  });
  return block;
}

}  // namespace wafersim::models
