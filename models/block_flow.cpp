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

InFlow::Block InFlow::consume(const LinkLoad& load, double share, double supplied, double begin, double cycles) {
  Block block;
  double end = begin + cycles, end_without_supply = end;
  // With its queues empty and its kernel waiting, a channel sends what one round trip's credits allow.
  std::vector<double> sent(channels_.size());
  for (std::size_t c = 0; c < channels_.size(); ++c) {
    const LinkLoad::Channel& part = load.in[c];
    if (part.words <= 0) continue;
    Channel& channel = channels_[c];
    const double words = part.words * share, first = channel.consumption.total();
    const double a_word = std::max(word_cycles_, (latency_ + 2) / part.queue);
    const double room = channel.consumption.time_of(first + std::min(1.0, words) - part.queue);
    const double free = std::max(channel.sent, room);
    sent[c] = std::max(free, supplied) + words * a_word;
    block.edges[c < channels_.size() / 2 ? west_edge : east_edge].add(words, std::max(free, supplied), sent[c]);
    busy_[c] += words * word_cycles_;
    words_ += words;
    end = std::max(end, sent[c] + latency_);
    end_without_supply = std::max(end_without_supply, free + words * a_word + latency_);
  }
  for (std::size_t c = 0; c < channels_.size(); ++c) {
    const LinkLoad::Channel& part = load.in[c];
    if (part.words <= 0) continue;
    Channel& channel = channels_[c];
    channel.consumption.extend(part.words * share, begin, end);
    const double last = channel.consumption.total() - part.queue;
    channel.sent = std::max(sent[c], channel.consumption.time_of(last));
    channel.consumption.forget(last);
  }
  block.end = end;
  block.supply_wait = end - end_without_supply;
  return block;
}

OutFlow::OutFlow(const memoryx::LinkTiming& timing)
    : word_cycles_(4.0 / timing.bytes_per_cycle()),
      latency_(static_cast<double>(timing.latency_cycles + timing.edge_latency_cycles)),
      sent_(static_cast<std::size_t>(timing.channels())),
      busy_(sent_.size()) {}

OutFlow::Block OutFlow::produce(const LinkLoad& load, double share, double begin, double cycles) {
  Block block;
  block.produced = begin + cycles;
  for (std::size_t c = 0; c < sent_.size(); ++c) {
    const LinkLoad::Channel& part = load.out[c];
    if (part.words <= 0) continue;
    const double words = part.words * share, start = std::max(sent_[c].last(), begin);
    // The last word finds room when the word that is a queue's length before it has left.
    const double before = sent_[c].total() + words - part.queue;
    const double room = before > sent_[c].total() ? start + (before - sent_[c].total()) * word_cycles_ : sent_[c].time_of(before);
    block.produced = std::max(block.produced, room);
    busy_[c] += words * word_cycles_;
    words_ += words;
  }
  for (std::size_t c = 0; c < sent_.size(); ++c) {
    const LinkLoad::Channel& part = load.out[c];
    if (part.words <= 0) continue;
    const double words = part.words * share, start = std::max(sent_[c].last(), begin);
    const double end = std::max(start + words * word_cycles_, block.produced + word_cycles_);
    sent_[c].extend(words, start, end);
    block.edges[c < sent_.size() / 2 ? west_edge : east_edge].add(words, start, end);
    sent_[c].forget(sent_[c].total() - part.queue);
    block.arrived = std::max(block.arrived, end + latency_);
  }
  return block;
}

}  // namespace wafersim::models
