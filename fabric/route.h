#pragma once
// Static routes: for each PE and color a set of inputs and outputs, up to four switch positions, and a filter on what reaches the core.

#include <array>
#include <cstdint>
#include <vector>

#include "fabric/geometry.h"

namespace wafersim::fabric {

struct RoutePosition {
  DirectionMask in = 0;
  DirectionMask out = 0;
  friend bool operator==(const RoutePosition&, const RoutePosition&) = default;
};

// A position with several inputs takes what comes over any of them; two wavelets in one cycle are an error of the program.
// Control wavelets (or a wavelet sent with `advance`) move the position; advancing past the last does nothing, or wraps with `ring`.
// A control wavelet keeps its commands on its way (pop mode "none"): every router with switches applies the first.
struct Route {
  std::array<RoutePosition, 4> position{};
  std::uint8_t positions = 1;
  bool ring = false;
  friend bool operator==(const Route&, const Route&) = default;
};

// Whether some position of the switch listens to several inputs.
bool shares_queue(const Route& route);

inline Route route(DirectionMask in, DirectionMask out) { return {{{{in, out}}}, 1, false}; }

// Counts the color's data wavelets at a router, 0 .. period-1 and again; those with first <= count < last go up the ramp, others do not.
struct CounterFilter {
  std::uint32_t period = 0;
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

// The routes of a whole mesh. Equal routes are stored once, so that a million PEs cost a byte a color each.
class RouteMap {
 public:
  RouteMap(int width, int height);

  int width() const { return width_; }
  int height() const { return height_; }
  bool contains(Coord c) const { return Rectangle{0, 0, width_, height_}.contains(c); }

  // Replaces the route of a color at a PE. This and the next two throw Error(plan) when the color or place does not exist.
  void set(Coord at, Color color, const Route& route);
  // Adds inputs and outputs to position 0 of a route (none yet: an empty one).
  void add(Coord at, Color color, DirectionMask in, DirectionMask out);
  // Replaces the filter of a color at a PE; its period is at least 1.
  void set_filter(Coord at, Color color, const CounterFilter& filter);

  const Route& get(Coord at, Color color) const;
  const CounterFilter* filter(Coord at, Color color) const;
  bool uses(Color color) const { return !index_[color].empty(); }
  std::vector<Color> colors() const;
  const std::vector<Route>& distinct() const { return distinct_; }

  static constexpr int max_colors = 24;

 private:
  struct PlacedFilter {
    Color color;
    std::size_t place;
    CounterFilter filter;
  };
  void check(Coord at, Color color) const;
  std::size_t place(Coord at) const { return static_cast<std::size_t>(at.y) * width_ + at.x; }

  int width_;
  int height_;
  std::vector<Route> distinct_;
  std::array<std::vector<std::uint8_t>, max_colors> index_;  // empty: color not in use
  std::vector<PlacedFilter> filters_;                        // sorted by (color, place)
};

// Refuses routes that cannot work (Error(plan), naming color and PEs): a loop inside routers, an output into a neighbour that does not
// listen, an output over the north or south edge.
void check_routes(const RouteMap& routes);

}  // namespace wafersim::fabric
