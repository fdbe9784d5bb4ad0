#include "fabric/route.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>
#include <tuple>

#include "sim/error.h"

namespace wafersim::fabric {

bool shares_queue(const Route& route) {
  return std::any_of(route.position.begin(), route.position.begin() + route.positions,
                     [](const RoutePosition& p) { return std::popcount(p.in) > 1; });
}

RouteMap::RouteMap(int width, int height) : width_(width), height_(height), distinct_(1, Route{{}, 1, false}) {
  if (width < 1 || height < 1)
    throw sim::Error(sim::ErrorCategory::plan, fmt::format("a mesh of {} x {} PEs does not exist", width, height));
}

void RouteMap::check(Coord at, Color color) const {
  if (color >= max_colors || at.x < 0 || at.y < 0 || at.x >= width_ || at.y >= height_)
    throw sim::Error(sim::ErrorCategory::plan, fmt::format("route of color {} at PE ({}, {}): no such color or PE on a {} x {} mesh", color,
                                                           at.x, at.y, width_, height_));
}

void RouteMap::set(Coord at, Color color, const Route& route) {
  check(at, color);
  auto& index = index_[color];
  if (index.empty()) index.assign(static_cast<std::size_t>(width_) * height_, 0);
  auto found = std::find(distinct_.begin(), distinct_.end(), route);
  if (found == distinct_.end()) {
    sim::require_invariant(distinct_.size() < 256, "at most 256 distinct routes");
    found = distinct_.insert(distinct_.end(), route);
  }
  index[place(at)] = static_cast<std::uint8_t>(found - distinct_.begin());
}

void RouteMap::add(Coord at, Color color, DirectionMask in, DirectionMask out) {
  check(at, color);
  Route changed = get(at, color);
  changed.position[0].in |= in;
  changed.position[0].out |= out;
  set(at, color, changed);
}

void RouteMap::set_filter(Coord at, Color color, const CounterFilter& filter) {
  check(at, color);
  sim::require_invariant(filter.period > 0, "a filter counts to its period");
  const PlacedFilter placed{color, place(at), filter};
  const auto before = [](const PlacedFilter& a, const PlacedFilter& b) { return std::tie(a.color, a.place) < std::tie(b.color, b.place); };
  const auto found = std::lower_bound(filters_.begin(), filters_.end(), placed, before);
  if (found != filters_.end() && !before(placed, *found))
    *found = placed;
  else
    filters_.insert(found, placed);
}

const Route& RouteMap::get(Coord at, Color color) const { return distinct_[index_[color].empty() ? 0 : index_[color][place(at)]]; }

const CounterFilter* RouteMap::filter(Coord at, Color color) const {
  const auto key = std::make_tuple(color, place(at));
  const auto found = std::lower_bound(filters_.begin(), filters_.end(), key,
                                      [](const PlacedFilter& f, const auto& k) { return std::tie(f.color, f.place) < k; });
  return found != filters_.end() && std::make_tuple(found->color, found->place) == key ? &found->filter : nullptr;
}

std::vector<Color> RouteMap::colors() const {
  std::vector<Color> used;
  for (int color = 0; color < max_colors; ++color)
    if (uses(static_cast<Color>(color))) used.push_back(static_cast<Color>(color));
  return used;
}

}  // namespace wafersim::fabric
