#pragma once
// Rates, latencies and channels of the I/O link in wafer cycles, and the two counts a link is made of: when a channel is free and
// whether a queue has room.

#include <cstdint>

#include "memoryx/spec.h"
#include "memoryx/stream.h"

namespace wafersim::memoryx {

// The cycle of an event that will not come by itself.
inline constexpr std::uint64_t never = ~std::uint64_t{0};

// The link of a wafer of `rows` rows, in wafer cycles. Ports are numbered west rows first, then east rows; channels likewise.
struct LinkTiming {
  int rows = 0;
  int pitch = 0;                     // rows a channel
  int channels_per_edge = 0;         // present on this mesh
  std::uint64_t word_numerator = 0;  // word_cycles = numerator / denominator, lowest terms
  std::uint64_t word_denominator = 1;
  std::uint64_t latency_cycles = 0;
  std::uint64_t edge_latency_cycles = 0;

  int ports() const { return 2 * rows; }
  int channels() const { return 2 * channels_per_edge; }
  int port_index(Port port) const { return (port.side == Port::Side::east ? rows : 0) + port.row; }
  Port port(int index) const;
  int channel_of(Port port) const;
  // Of one channel, one way.
  double bytes_per_cycle() const { return 4.0 * static_cast<double>(word_denominator) / static_cast<double>(word_numerator); }
  // Edge queue words with which one port alone, emptied at once, keeps its channel busy.
  std::uint64_t full_rate_words() const;
};

// Errors: category config, naming the key, when a rate, latency or pitch is not usable. Rates are taken to the nearest byte/s and hertz.
LinkTiming make_link_timing(const IoSpec& spec, double clock_hz, int rows);

// Cycles that cover a time; a product that rounding put a hair above a whole number counts as that number.
std::uint64_t cycles_of(double seconds, double clock_hz);
// Sets the word cycles of one of `sharers` alike that share a bandwidth in bytes/s. Both rates are taken to the nearest whole number.
void set_word_cycles(LinkTiming& timing, double bandwidth, int sharers, double clock_hz);

// Words of an edge queue: what the spec says, else enough for both the plan, whose need is `planned`, and the link's round trip.
int edge_queue_words(const IoSpec& spec, const LinkTiming& timing, int planned);

// When a channel is free again, to the fraction of a cycle.
class ChannelClock {
 public:
  // First cycle at which a word may start.
  std::uint64_t free_at() const { return cycle_ + (rest_ > 0 ? 1 : 0); }
  // Sends a word that could start at `now` >= free_at() and not before; returns the cycle by which its last byte is sent.
  std::uint64_t send(std::uint64_t now, const LinkTiming& timing);

  std::uint64_t words() const { return words_; }
  std::uint64_t busy_cycles() const { return busy_; }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(cycle_, rest_, words_, busy_, busy_rest_);
  }

 private:
  std::uint64_t cycle_ = 0;  // free at cycle_ + rest_ / word_denominator
  std::uint64_t rest_ = 0;
  std::uint64_t words_ = 0;
  std::uint64_t busy_ = 0;  // busy for busy_ + busy_rest_ / word_denominator
  std::uint64_t busy_rest_ = 0;
};

// Slots of a queue in which a slot given back at cycle c can be taken from c + 1.
class Credits {
 public:
  bool room(std::uint64_t cycle, int capacity) const { return taken_ + (freed_cycle_ == cycle ? freed_ : 0) < capacity; }
  void take() { ++taken_; }
  void give_back(std::uint64_t cycle);

  template <class Archive>
  void serialize(Archive& archive) {
    archive(taken_, freed_, freed_cycle_);
  }

 private:
  int taken_ = 0;
  int freed_ = 0;  // at freed_cycle_
  std::uint64_t freed_cycle_ = never;
};

}  // namespace wafersim::memoryx
