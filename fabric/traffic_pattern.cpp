#include "fabric/traffic_pattern.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/error.h"

namespace wafersim::fabric {

const char* name(TrafficPattern pattern) {
  switch (pattern) {
    case TrafficPattern::uniform: return "uniform";
    case TrafficPattern::transpose: return "transpose";
    case TrafficPattern::hotspot: return "hotspot";
    case TrafficPattern::neighbour: return "neighbour";
    case TrafficPattern::bit_complement: return "bit-complement";
  }
  return "";
}

const std::vector<TrafficPattern>& traffic_patterns() {
  static const std::vector<TrafficPattern> all = {TrafficPattern::uniform, TrafficPattern::transpose, TrafficPattern::hotspot,
                                                  TrafficPattern::neighbour, TrafficPattern::bit_complement};
  return all;
}

TrafficPattern traffic_pattern(const std::string& text) {
  std::vector<const char*> names;
  for (const TrafficPattern pattern : traffic_patterns()) {
    if (text == name(pattern)) return pattern;
    names.push_back(name(pattern));
  }
  throw sim::Error(sim::ErrorCategory::config, fmt::format("traffic pattern '{}' is unknown: use one of {}", text, fmt::join(names, ", ")));
}

std::uint64_t TrafficRandom::next() {
  std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

Destinations::Destinations(TrafficPattern pattern, int width, int height, double hotspot_share)
    : pattern_(pattern),
      width_(static_cast<std::uint32_t>(width)),
      height_(static_cast<std::uint32_t>(height)),
      hotspot_share_(hotspot_share) {
  const auto refuse = [](const std::string& message) { throw sim::Error(sim::ErrorCategory::config, message); };
  if (width < 1 || height < 1 || (width == 1 && height == 1)) {
    refuse(fmt::format("traffic on a mesh of {} x {}: use at least two nodes", width, height));
  }
  if (pattern == TrafficPattern::transpose && width != height) {
    refuse(fmt::format("traffic pattern transpose on a mesh of {} x {}: use a square mesh", width, height));
  }
  if (!(hotspot_share >= 0 && hotspot_share <= 1)) refuse(fmt::format("traffic hotspot share {} is outside 0..1", hotspot_share));
}

std::uint32_t Destinations::of(std::uint32_t source, TrafficRandom& random) const {
  const std::uint32_t x = source % width_;
  const std::uint32_t y = source / width_;
  switch (pattern_) {
    case TrafficPattern::uniform: return other_node(source, random);
    case TrafficPattern::transpose: return x * width_ + y;
    case TrafficPattern::hotspot: {
      const std::uint32_t centre = height_ / 2 * width_ + width_ / 2;
      const bool hot = random.fraction() < hotspot_share_;
      return hot && source != centre ? centre : other_node(source, random);
    }
    case TrafficPattern::neighbour: return y * width_ + (x + 1) % width_;
    case TrafficPattern::bit_complement: return width_ * height_ - 1 - source;
  }
  return source;
}

std::uint32_t Destinations::other_node(std::uint32_t source, TrafficRandom& random) const {
  const std::uint32_t drawn = random.below(width_ * height_ - 1);
  return drawn + (drawn >= source ? 1 : 0);
}

}  // namespace wafersim::fabric
