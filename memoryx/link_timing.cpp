#include "memoryx/link_timing.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "sim/error.h"

namespace wafersim::memoryx {

namespace {

constexpr int word_bytes = 4;

[[noreturn]] void refuse(const char* key, double value, const char* allowed) {
  throw sim::Error(sim::ErrorCategory::config, std::string(key) + " = " + std::to_string(value) + ": must be " + allowed);
}

}  // namespace

std::uint64_t cycles_of(double seconds, double clock_hz) {
  const double cycles = seconds * clock_hz;
  return static_cast<std::uint64_t>(std::ceil(cycles - 1e-9 * std::max(1.0, cycles)));
}

void set_word_cycles(LinkTiming& timing, double bandwidth, int sharers, double clock_hz) {
  const auto bytes_per_second = static_cast<std::uint64_t>(std::llround(bandwidth));
  const std::uint64_t numerator = static_cast<std::uint64_t>(word_bytes) * static_cast<std::uint64_t>(sharers) *
                                  static_cast<std::uint64_t>(std::llround(clock_hz));  // at most 4 * 131070 * 1e12 < 2^60
  const std::uint64_t divisor = std::gcd(numerator, bytes_per_second);
  timing.word_numerator = numerator / divisor;
  timing.word_denominator = bytes_per_second / divisor;
}

Port LinkTiming::port(int index) const {
  const bool east = index >= rows;
  return {east ? Port::Side::east : Port::Side::west, static_cast<std::uint16_t>(east ? index - rows : index)};
}

int LinkTiming::channel_of(Port port) const {
  const int k = std::min(port.row / pitch, channels_per_edge - 1);
  return port.side == Port::Side::east ? channels_per_edge + k : k;
}

std::uint64_t LinkTiming::full_rate_words() const {
  // A slot is held from the start of the word until the cycle after its arrival, at most one fraction of a cycle on either side.
  const std::uint64_t held = latency_cycles + edge_latency_cycles + 2;
  return 1 + (held * word_denominator + word_numerator - 1) / word_numerator;
}

LinkTiming make_link_timing(const IoSpec& spec, double clock_hz, int rows) {
  if (rows < 1 || rows > 65535) refuse("fabric.height", rows, "1 to 65535");
  if (!(clock_hz >= 1.0 && clock_hz <= 1e12)) refuse("core.clock", clock_hz, "1 Hz to 1 THz");
  if (spec.channel_row_pitch < 1) refuse("io.channel_row_pitch", spec.channel_row_pitch, "at least 1 row");
  if (spec.channels_per_edge < 1 || spec.channels_per_edge > 65535) refuse("io.channels_per_edge", spec.channels_per_edge, "1 to 65535");
  if (!(spec.latency >= 0.0 && spec.latency <= 1.0)) refuse("io.latency", spec.latency, "0 to 1 s");
  if (spec.edge_latency_cycles < 0) refuse("io.edge_latency_cycles", spec.edge_latency_cycles, "at least 0 cycles");
  if (spec.bandwidth_override != 0.0 && !(spec.bandwidth_override >= 1.0 && spec.bandwidth_override <= 1e18)) {
    refuse("io.bandwidth_override", spec.bandwidth_override, "0 (none) or 1 B/s to 1e18 B/s");
  }
  if (!(spec.bandwidth >= 1.0 && spec.bandwidth <= 1e18)) refuse("io.bandwidth", spec.bandwidth, "1 B/s to 1e18 B/s");

  LinkTiming timing;
  timing.rows = rows;
  // Wider where the channels would not reach the last rows.
  timing.pitch = std::max(spec.channel_row_pitch, (rows + spec.channels_per_edge - 1) / spec.channels_per_edge);
  timing.channels_per_edge = (rows + timing.pitch - 1) / timing.pitch;
  const bool overridden = spec.bandwidth_override != 0.0;
  const int sharers = 2 * (overridden ? timing.channels_per_edge : spec.channels_per_edge);
  set_word_cycles(timing, overridden ? spec.bandwidth_override : spec.bandwidth, sharers, clock_hz);
  timing.latency_cycles = cycles_of(spec.latency, clock_hz);
  timing.edge_latency_cycles = static_cast<std::uint64_t>(spec.edge_latency_cycles);
  return timing;
}

int edge_queue_words(const IoSpec& spec, const LinkTiming& timing, int planned) {
  if (spec.edge_queue_words > 0) return spec.edge_queue_words;
  constexpr std::uint64_t most = 1 << 30;
  return std::max(planned, static_cast<int>(std::min(timing.full_rate_words(), most)));
}

std::uint64_t ChannelClock::send(std::uint64_t now, const LinkTiming& timing) {
  if (now != free_at()) {  // the channel was idle: a new busy period
    cycle_ = now;
    rest_ = 0;
  }
  const auto add = [&](std::uint64_t& cycles, std::uint64_t& rest) {
    cycles += timing.word_numerator / timing.word_denominator;
    rest += timing.word_numerator % timing.word_denominator;
    if (rest >= timing.word_denominator) {
      ++cycles;
      rest -= timing.word_denominator;
    }
  };
  add(cycle_, rest_);
  add(busy_, busy_rest_);
  ++words_;
  return free_at();
}

void Credits::give_back(std::uint64_t cycle) {
  if (freed_cycle_ != cycle) {
    freed_cycle_ = cycle;
    freed_ = 0;
  }
  --taken_;
  ++freed_;
}

}  // namespace wafersim::memoryx
