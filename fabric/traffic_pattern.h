#pragma once
// Who sends to whom in synthetic traffic. A node that a pattern sends to itself is silent.

#include <cstdint>
#include <string>
#include <vector>

namespace wafersim::fabric {

enum class TrafficPattern {
  uniform,         // every other node with the same probability
  transpose,       // (x, y) -> (y, x), square meshes only
  hotspot,         // a share of the packets to the centre (width / 2, height / 2), the rest and the centre's own as uniform
  neighbour,       // (x, y) -> (x + 1 mod width, y)
  bit_complement,  // (x, y) -> (width - 1 - x, height - 1 - y); flips every bit of a node's number when both sides are powers of two
};

const char* name(TrafficPattern pattern);
// Inverse of name; an Error of category config lists the names.
TrafficPattern traffic_pattern(const std::string& text);
const std::vector<TrafficPattern>& traffic_patterns();

// A sequence of 64-bit random numbers (SplitMix64: Steele, Lea, Flood, OOPSLA 2014); the same on every host.
class TrafficRandom {
 public:
  explicit TrafficRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  double fraction() { return static_cast<double>(next() >> 11) * 0x1p-53; }  // in [0, 1)
  // In [0, count); no value is preferred by more than count / 2^32.
  std::uint32_t below(std::uint32_t count) { return static_cast<std::uint32_t>((next() >> 32) * count >> 32); }

 private:
  std::uint64_t state_;
};

class Destinations {
 public:
  // Errors of category config: transpose on a mesh that is not square, fewer than two nodes, a share outside 0..1.
  Destinations(TrafficPattern pattern, int width, int height, double hotspot_share);
  // Draws from `random` only what the pattern needs; returns `source` where the pattern has no other destination for it.
  std::uint32_t of(std::uint32_t source, TrafficRandom& random) const;

 private:
  std::uint32_t other_node(std::uint32_t source, TrafficRandom& random) const;

  TrafficPattern pattern_;
  std::uint32_t width_;
  std::uint32_t height_;
  double hotspot_share_;
};

}  // namespace wafersim::fabric
