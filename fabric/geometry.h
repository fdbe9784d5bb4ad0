#pragma once
// Places and directions on the PE mesh: x runs west to east, y north to south.

#include <array>
#include <cstdint>

namespace wafersim::fabric {

using Cycle = std::uint64_t;  // number of a wafer cycle
using Color = std::uint8_t;

struct Coord {
  int x = 0;
  int y = 0;
  friend bool operator==(const Coord&, const Coord&) = default;
};

struct Rectangle {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
  bool contains(Coord c) const { return c.x >= x && c.x < x + width && c.y >= y && c.y < y + height; }
};

enum Direction : std::uint8_t { north, east, south, west, ramp };
constexpr int directions = 5;
constexpr std::array<Direction, 4> links = {north, east, south, west};

constexpr Direction opposite(Direction d) {
  switch (d) {
    case north: return south;
    case east: return west;
    case south: return north;
    case west: return east;
    case ramp: return ramp;
  }
  return ramp;
}

constexpr Coord neighbour(Coord c, Direction d) {
  switch (d) {
    case north: return {c.x, c.y - 1};
    case east: return {c.x + 1, c.y};
    case south: return {c.x, c.y + 1};
    case west: return {c.x - 1, c.y};
    case ramp: return c;
  }
  return c;
}

// A set of directions, one bit each.
using DirectionMask = std::uint8_t;
constexpr DirectionMask mask(Direction d) { return static_cast<DirectionMask>(1u << d); }
template <class... D>
constexpr DirectionMask mask(Direction first, D... rest) {
  return static_cast<DirectionMask>(mask(first) | mask(rest...));
}

constexpr const char* name(Direction d) {
  switch (d) {
    case north: return "north";
    case east: return "east";
    case south: return "south";
    case west: return "west";
    case ramp: return "ramp";
  }
  return "?";
}

}  // namespace wafersim::fabric
