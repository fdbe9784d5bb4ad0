#include "fabric/fabric_block.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>

#include "sim/error.h"

namespace wafersim::fabric {
namespace {

constexpr int most_words = 128;  // of a queue

unsigned ring_size(int words) { return std::bit_ceil(static_cast<unsigned>(words)); }

// Words of the deepest queue: one more than a neighbour may send may cross as a switch turns. Inputs that share a queue have their own.
int deepest_queue(const FabricSpec& spec, const RouteMap& routes, int output_words) {
  const int from_link = spec.router_queue_words + 1, from_core = output_words + spec.ramp_cycles;
  int deepest = std::max(from_link, from_core);
  sim::require_invariant(deepest <= most_words, "a queue holds at most 128 words");
  for (const Route& r : routes.distinct()) {
    if (!shares_queue(r)) continue;
    unsigned inputs = 0;
    for (int p = 0; p < r.positions; ++p) inputs |= r.position[static_cast<std::size_t>(p)].in;
    const int shared = std::popcount(inputs & ~static_cast<unsigned>(mask(ramp))) * from_link + (inputs & mask(ramp) ? from_core : 0);
    if (shared > most_words)
      throw sim::Error(sim::ErrorCategory::plan,
                       fmt::format("{} inputs of a color that share a router's queue need {} words of it, more than {}: lower "
                                   "fabric.router_queue_words ({}) or give the inputs colors of their own",
                                   std::popcount(inputs), shared, most_words, spec.router_queue_words));
    deepest = std::max(deepest, shared);
  }
  return deepest;
}

}  // namespace

FabricBlock::FabricBlock(const FabricSpec& spec, const RouteMap& routes, const Rectangle& place,
                         const std::array<int, input_queues>& input_queue_words, int deepest_output_queue)
    : spec_(spec),
      place_(place),
      step_{-place.width, 1, place.width, -1},
      slot_color_(routes.colors()),
      slots_(slot_color_.size()),
      input_queue_words_(input_queue_words),
      input_capacity_log2_(
          std::bit_width(ring_size(*std::max_element(input_queue_words.begin(), input_queue_words.end()) + spec.ramp_cycles) - 1)),
      queues_(static_cast<std::size_t>(place.width) * static_cast<std::size_t>(place.height) * slot_color_.size(),
              ring_size(deepest_queue(spec, routes, deepest_output_queue))) {
  sim::require_invariant(
      spec.hop_cycles >= 1 && spec.hop_cycles < static_cast<int>(later_slots) && spec.ramp_cycles + 1 < static_cast<int>(later_slots),
      "hops and ramps take 1 to 62 cycles");
  sim::require_invariant(input_capacity_log2_ <= 7, "a queue holds at most 128 words");
  static_assert(sizeof(Router) == 64);
  const std::size_t pes = static_cast<std::size_t>(size());
  routers_.resize(pes);
  for (std::uint32_t pe = 0; pe < pes; ++pe)
    for (const Direction d : links) {
      const Coord to = neighbour(coord(pe), d);
      if (place.contains(to)) continue;
      routers_[pe].border |= mask(d);
      for (const Color color : slot_color_) {  // PEs of a side come in its order
        const bool listens = routes.contains(to) && (routes.get(to, color).position[0].in & mask(opposite(d))) != 0;
        room_[d].push_back(static_cast<std::int16_t>(listens ? spec.router_queue_words : 0));
      }
    }
  color_slot_.fill(unbound);
  for (int slot = 0; slot < static_cast<int>(slots_); ++slot) color_slot_[slot_color_[slot]] = static_cast<std::uint8_t>(slot);
  for (std::uint32_t pe = 0; pe < pes; ++pe)
    for (int slot = 0; slot < static_cast<int>(slots_); ++slot) {
      const Route& r = routes.get(coord(pe), slot_color_[slot]);
      auto found = std::find(routes_.begin(), routes_.end(), r);
      if (found == routes_.end()) found = routes_.insert(routes_.end(), r);
      RouterQueue& queue = queues_[at(pe, slot)];
      queue.route = static_cast<std::uint8_t>(found - routes_.begin());
      queue.in = r.position[0].in;
      queue.out = r.position[0].out;
      queue.shared = shares_queue(r);
      if (const CounterFilter* filter = routes.filter(coord(pe), slot_color_[slot])) {
        queue.filtered = true;
        filters_.push_back({at(pe, slot), *filter, 0});
      }
    }
  active_.resize((pes + 63) / 64);
  input_words_.resize(pes * input_queues << input_capacity_log2_);
  flit_wraps_.resize(pes * directions);
}

std::uint64_t FabricBlock::flits(std::uint32_t pe, Direction d) const {
  return (static_cast<std::uint64_t>(flit_wraps_[pe * directions + d]) << 32) + routers_[pe].flits[d];
}

void FabricBlock::require_empty_input(std::uint32_t pe, int queue) const {
  const int count = waiting_in_input(pe, queue);
  if (count == 0) return;
  const Coord c = coord(pe);
  throw sim::Error(sim::ErrorCategory::plan,
                   fmt::format("input queue {} at PE ({}, {}) is given another color while it holds {} wavelets of color {}", queue, c.x,
                               c.y, count, bound_color(pe, queue)));
}

void FabricBlock::unbind_input(std::uint32_t pe, int queue) {
  std::uint8_t& slot = routers_[pe].input[queue].slot;
  if (slot == unbound) return;
  require_empty_input(pe, queue);
  queues_[at(pe, slot)].input = unbound;
  slot = unbound;
}

void FabricBlock::bind_input(std::uint32_t pe, int queue, Color color) {
  const std::uint8_t slot = color < RouteMap::max_colors ? color_slot_[color] : unbound;
  std::uint8_t& bound = routers_[pe].input[queue].slot;
  if (slot == unbound)
    throw sim::Error(sim::ErrorCategory::plan, fmt::format("input queue {} is bound to color {}, which has no route", queue, color));
  if (bound == slot) return;
  unbind_input(pe, queue);
  bound = slot;
  queues_[at(pe, slot)].input = static_cast<std::uint8_t>(queue);
  unblock(pe, slot);
}

Cycle FabricBlock::core_sleeps(std::uint32_t pe, Cycle now) {
  routers_[pe].core_sleeps = true;
  Cycle first = ~Cycle{0};
  for (int queue = 0; queue < input_queues; ++queue) {
    const InputQueue& q = routers_[pe].input[queue];
    if (q.count == 0) continue;
    const std::uint32_t arrival = input_words_[input_at(pe, queue) + q.head].stamp;
    if (!ready(arrival, now)) first = std::min(first, now + ((arrival - static_cast<std::uint32_t>(now)) & cycle_bits));
  }
  return first;
}

int FabricBlock::waiting_in_router(std::uint32_t pe, Color color) const {
  return color_slot_[color] == unbound ? 0 : queues_[at(pe, color_slot_[color])].count;
}

int FabricBlock::bound_queue(std::uint32_t pe, Color color) const {
  return color_slot_[color] == unbound ? unbound : queues_[at(pe, color_slot_[color])].input;
}

Color FabricBlock::bound_color(std::uint32_t pe, int queue) const {
  const std::uint8_t slot = routers_[pe].input[queue].slot;
  return slot == unbound ? unbound : slot_color_[slot];
}

RoutePosition FabricBlock::current_route(std::uint32_t pe, Color color) const {
  if (color_slot_[color] == unbound) return {};
  const RouterQueue& q = queues_[at(pe, color_slot_[color])];
  return {q.in, q.out};
}

}  // namespace wafersim::fabric
