#include "memoryx/io_link.h"

#include <algorithm>
#include <string>

#include "sim/error.h"

namespace wafersim::memoryx {

namespace {

void check_queue(int words) {
  if (words < 1)
    throw sim::Error(sim::ErrorCategory::config, "io: an edge queue of " + std::to_string(words) + " words: must be at least 1");
}

}  // namespace

LinkCounters& LinkCounters::operator+=(const LinkCounters& other) {
  words += other.words;
  busy_cycles += other.busy_cycles;
  credit_stall_cycles += other.credit_stall_cycles;
  update_wait_cycles += other.update_wait_cycles;
  store_wait_cycles += other.store_wait_cycles;
  return *this;
}

LinkCounters& LinkCounters::operator-=(const LinkCounters& other) {
  words -= other.words;
  busy_cycles -= other.busy_cycles;
  credit_stall_cycles -= other.credit_stall_cycles;
  update_wait_cycles -= other.update_wait_cycles;
  store_wait_cycles -= other.store_wait_cycles;
  return *this;
}

InLink::InLink(const LinkTiming& timing, int edge_queue_words, InSource& source)
    : timing_(timing),
      capacity_(edge_queue_words),
      source_(source),
      channels_(static_cast<std::size_t>(timing.channels())),
      edges_(static_cast<std::size_t>(timing.ports())),
      spans_(channels_.size()) {
  check_queue(edge_queue_words);
}

void InLink::step(std::uint64_t cycle) {
  for (int index = 0; index < timing_.channels(); ++index) {
    auto& arrivals = channels_[static_cast<std::size_t>(index)].arrivals;
    while (!arrivals.empty() && arrivals.front() <= cycle) arrivals.pop_front();
    start_words(index, cycle);
  }
}

void InLink::start_words(int index, std::uint64_t cycle) {
  Channel& channel = channels_[static_cast<std::size_t>(index)];
  while (channel.clock.free_at() <= cycle) {
    const InWord* word = source_.peek(index);
    if (word == nullptr || word->ready_cycle > cycle) return;
    sim::require_invariant(word->port.row < timing_.rows && timing_.channel_of(word->port) == index,
                           "a word is sent on the channel of its port");
    const int port = timing_.port_index(word->port);
    Edge& edge = edges_[static_cast<std::size_t>(port)];
    if (!edge.credits.room(cycle, capacity_)) {
      channel.blocked_since = std::min(channel.blocked_since, cycle);
      return;
    }
    if (channel.blocked_since != never) channel.stalled += cycle - channel.blocked_since;
    channel.blocked_since = never;
    const std::uint64_t asked = std::max(word->step_cycle, channel.clock.free_at());
    const std::uint64_t waited = word->ready_cycle > asked ? word->ready_cycle - asked : 0,
                        for_update = std::min(waited, word->update_wait);
    channel.update_wait += for_update;
    channel.store_wait += waited - for_update;
    const std::uint64_t sent = channel.clock.send(cycle, timing_);
    const std::uint64_t arrival = std::max(cycle + 1, sent + timing_.latency_cycles + timing_.edge_latency_cycles);
    edge.credits.take();
    if (edge.queue.empty()) active_.insert(std::lower_bound(active_.begin(), active_.end(), port), port);
    edge.queue.push_back({*word, arrival});
    channel.arrivals.push_back(arrival);
    count_word(spans_[static_cast<std::size_t>(index)], word->call, cycle, sent);
    source_.pop(index, cycle);
  }
}

std::uint64_t InLink::next_event(std::uint64_t cycle) const {
  std::uint64_t next = never;
  for (int index = 0; index < timing_.channels(); ++index) {
    const Channel& channel = channels_[static_cast<std::size_t>(index)];
    if (!channel.arrivals.empty()) next = std::min(next, std::max(channel.arrivals.front(), cycle + 1));
    const InWord* word = source_.peek(index);
    if (word == nullptr) continue;
    const std::uint64_t start = std::max({channel.clock.free_at(), word->ready_cycle, cycle + 1});
    // A channel that already waits for credit moves only when there is some; otherwise the wait is noticed at `start`.
    const Credits& credits = edges_[static_cast<std::size_t>(timing_.port_index(word->port))].credits;
    if (channel.blocked_since == never || credits.room(start, capacity_)) next = std::min(next, start);
  }
  return next;
}

std::uint64_t InLink::next_arrival(std::uint64_t cycle) const {
  std::uint64_t next = never;
  for (const int index : active_) {
    const std::uint64_t arrival = edges_[static_cast<std::size_t>(index)].queue.front().arrival;
    if (arrival > cycle) next = std::min(next, arrival);
  }
  return next;
}

const InWord* InLink::front(Port port, std::uint64_t cycle) const {
  const auto& queue = edges_[static_cast<std::size_t>(timing_.port_index(port))].queue;
  return queue.empty() || queue.front().arrival > cycle ? nullptr : &queue.front().word;
}

void InLink::pop(Port port, std::uint64_t cycle) {
  sim::require_invariant(front(port, cycle) != nullptr, "a word is popped from an edge queue only when it has arrived");
  const int index = timing_.port_index(port);
  Edge& edge = edges_[static_cast<std::size_t>(index)];
  edge.queue.pop_front();
  edge.credits.give_back(cycle);
  if (edge.queue.empty()) active_.erase(std::lower_bound(active_.begin(), active_.end(), index));
}

std::optional<Port> InLink::blocked(int channel) const {
  if (channels_[static_cast<std::size_t>(channel)].blocked_since == never) return std::nullopt;
  return source_.peek(channel)->port;
}

LinkCounters InLink::counters(int channel, std::uint64_t cycle) const {
  const Channel& c = channels_[static_cast<std::size_t>(channel)];
  const std::uint64_t waiting = c.blocked_since < cycle ? cycle - c.blocked_since : 0;
  return {c.clock.words(), c.clock.busy_cycles(), c.stalled + waiting, c.update_wait, c.store_wait};
}

OutLink::OutLink(const LinkTiming& timing, int edge_queue_words, OutSink& sink)
    : timing_(timing),
      capacity_(edge_queue_words),
      sink_(sink),
      channels_(static_cast<std::size_t>(timing.channels())),
      edges_(static_cast<std::size_t>(timing.ports())) {
  check_queue(edge_queue_words);
}

bool OutLink::room(Port port, std::uint64_t cycle) const {
  return edges_[static_cast<std::size_t>(timing_.port_index(port))].room(cycle, capacity_);
}

void OutLink::push(Port port, std::uint64_t cycle, std::uint8_t color, std::uint32_t bits) {
  sim::require_invariant(room(port, cycle), "a word is pushed into an edge queue only when it has room");
  edges_[static_cast<std::size_t>(timing_.port_index(port))].take();
  auto& waiting = channels_[static_cast<std::size_t>(timing_.channel_of(port))].waiting;
  auto place = waiting.end();
  while (place != waiting.begin() && std::prev(place)->pushed == cycle && std::prev(place)->port.row > port.row) --place;
  waiting.insert(place, {port, color, bits, cycle});
}

void OutLink::step(std::uint64_t cycle) {
  for (Channel& channel : channels_) {
    while (!channel.flying.empty() && channel.flying.front().arrival <= cycle) {
      const Flying word = channel.flying.front();
      sim::require_invariant(word.arrival == cycle, "the link out is stepped at every cycle that it named");
      channel.flying.pop_front();
      sink_.arrive(word.port, word.color, word.bits, cycle);
    }
    while (!channel.waiting.empty() && channel.waiting.front().pushed < cycle && channel.clock.free_at() <= cycle) {
      const Waiting word = channel.waiting.front();
      channel.waiting.pop_front();
      edges_[static_cast<std::size_t>(timing_.port_index(word.port))].give_back(cycle);
      const std::uint64_t sent = channel.clock.send(cycle, timing_);
      last_start_ = cycle;
      channel.flying.push_back(
          {word.port, word.color, word.bits, std::max(cycle + 1, sent + timing_.edge_latency_cycles + timing_.latency_cycles)});
    }
  }
}

std::uint64_t OutLink::next_event(std::uint64_t cycle) const {
  std::uint64_t next = never;
  for (const Channel& channel : channels_) {
    if (!channel.flying.empty()) next = std::min(next, std::max(channel.flying.front().arrival, cycle + 1));
    if (!channel.waiting.empty()) next = std::min(next, std::max({channel.clock.free_at(), channel.waiting.front().pushed + 1, cycle + 1}));
  }
  return next;
}

bool OutLink::idle() const {
  return std::all_of(channels_.begin(), channels_.end(), [](const Channel& c) { return c.waiting.empty() && c.flying.empty(); });
}

LinkCounters OutLink::counters(int channel) const {
  const ChannelClock& clock = channels_[static_cast<std::size_t>(channel)].clock;
  return {clock.words(), clock.busy_cycles(), 0, 0, 0};
}

}  // namespace wafersim::memoryx
