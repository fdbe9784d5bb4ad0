#include "models/block_flow.h"

#include <algorithm>
#include <limits>

#include "sim/error.h"

namespace wafersim::models {

InFlow::InFlow(const memoryx::LinkTiming& timing)
    : word_cycles_(4.0 / timing.bytes_per_cycle()),
      latency_(static_cast<double>(timing.latency_cycles + timing.edge_latency_cycles)),
      channels_(static_cast<std::size_t>(timing.channels())),
      busy_(channels_.size()) {}

double InFlow::Coming::words(std::size_t channel, int kind) const {
  const LinkLoad::Part& part = load->in[channel].parts[static_cast<std::size_t>(kind)];
  if (part.first) return first ? part.words : 0;
  return part.words * share;
}

void InFlow::offer(const LinkLoad& load, double share, bool first, const BlockSupply& supply) {
  coming_.emplace_back();
  coming_.back().load = &load;
  coming_.back().share = share;
  coming_.back().first = first;
  coming_.back().supply = supply;
  send_blocks();
}

// As far as known is when the blocks before them leave the queues.
void InFlow::send_blocks() {
  while (on_the_way_ < coming_.size()) {
    Coming& block = coming_[on_the_way_];
    starts_ = starts_ || start(block);
    if (!starts_ || !finish(block)) return;
    starts_ = false;
    ++on_the_way_;
  }
}

template <class Visit>
void InFlow::for_each_part(const Coming& block, Visit&& visit) {
  for (std::size_t c = 0; c < channels_.size(); ++c)
    for (int kind = 0; kind < port_kinds; ++kind)
      if (const double words = block.words(c, kind); words > 0)
        visit(c, channels_[c].queues[static_cast<std::size_t>(kind)], words, block.load->in[c].parts[static_cast<std::size_t>(kind)]);
}

bool InFlow::start(Coming& block) {
  bool known = true;
  for_each_part(block, [&](std::size_t, CreditQueue& queue, double words, const LinkLoad::Part& part) {
    known = known && queue.knows_start(words, part.queue);
  });
  if (!known) return false;
  struct Sending {
    double words = 0, ahead = 0, cycles = 0, free = 0;
  };
  std::vector<Sending> sending(channels_.size());
  for_each_part(block, [&](std::size_t c, CreditQueue& queue, double words, const LinkLoad::Part& part) {
    sending[c].words += words;
    sending[c].ahead += part.first ? words : 0;
    // With its queues empty and its kernel waiting, a channel sends what one round trip's credits allow.
    sending[c].cycles = std::max(sending[c].cycles, words * (latency_ + 2) / part.queue);
    sending[c].free = std::max(sending[c].free, queue.start(words, part.queue));
  });
  block.started = std::numeric_limits<double>::infinity();
  for (std::size_t c = 0; c < channels_.size(); ++c) {
    const Sending& here = sending[c];
    if (here.words <= 0) continue;
    const double at_once = std::max(here.cycles, here.words * word_cycles_), cycles = std::max(at_once, block.supply.cycles);
    const double ahead_at_once = here.ahead * word_cycles_, ahead = std::max(ahead_at_once, block.supply.start_cycles);
    const double free = std::max(channels_[c].free, here.free), begin = std::max(free, block.supply.begin);
    channels_[c].free = begin + cycles;
    block.edges[c < channels_.size() / 2 ? west_edge : east_edge].add(here.words, begin, begin + cycles);
    block.started = std::min(block.started, begin);
    block.arrived = std::max(block.arrived, begin + cycles + latency_);
    block.arrived_at_once = std::max(block.arrived_at_once, free + at_once + latency_);
    if (here.ahead > 0) {
      block.ready = std::max(block.ready, begin + ahead + latency_);
      block.ready_at_once = std::max(block.ready_at_once, free + ahead_at_once + latency_);
    }
    busy_[c] += here.words * word_cycles_;
    words_ += here.words;
  }
  return true;
}

bool InFlow::finish(Coming& block) {
  bool known = true;
  for_each_part(block, [&](std::size_t, CreditQueue& queue, double words, const LinkLoad::Part& part) {
    known = known && queue.knows_end(words, part.queue);
  });
  if (!known) return false;
  double end = std::max(block.supply.begin, last_sent_);
  for_each_part(block, [&](std::size_t c, CreditQueue& queue, double words, const LinkLoad::Part& part) {
    channels_[c].free = std::max(channels_[c].free, queue.send(words, part.queue));
    end = std::max(end, channels_[c].free);
  });
  sent_.push_back({std::clamp(block.started, last_sent_, end), end});
  last_sent_ = end;
  return true;
}

InFlow::Block InFlow::consume(double begin, double cycles) {
  sim::require_invariant(!coming_.empty() && (on_the_way_ > 0 || starts_), "a kernel uses a block that is on the link");
  const Coming used = coming_.front();
  Block block;
  block.end = std::max(std::max(begin, used.ready) + cycles, used.arrived);
  block.supply_wait = block.end - std::max(std::max(begin, used.ready_at_once) + cycles, used.arrived_at_once);
  std::copy(std::begin(used.edges), std::end(used.edges), std::begin(block.edges));
  for_each_part(used, [&](std::size_t, CreditQueue& queue, double words, const LinkLoad::Part&) { queue.leave(words, begin, block.end); });
  send_blocks();
  sim::require_invariant(on_the_way_ > 0, "a block that a kernel has used is sent");
  coming_.pop_front();
  --on_the_way_;
  return block;
}

std::optional<InFlow::Sent> InFlow::next_sent() {
  if (sent_.empty()) return std::nullopt;
  const Sent next = sent_.front();
  sent_.pop_front();
  return next;
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
