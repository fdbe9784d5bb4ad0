#include "fabric/fabric_block.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>

#include "sim/error.h"

namespace wafersim::fabric {
FabricBlock::FabricBlock(const FabricSpec& spec, const RouteMap& routes, const Rectangle& place,
                         const std::array<int, input_queues>& input_queue_words, int deepest_output_queue)
    : spec_(spec), place_(place), step_{-place.width, 1, place.width, -1}, input_queue_words_(input_queue_words) {
  const std::size_t pes = static_cast<std::size_t>(size());
  border_.resize(pes);
  for (std::uint32_t pe = 0; pe < pes; ++pe)
    for (const Direction d : links)
      if (!place.contains(neighbour(coord(pe), d))) border_[pe] |= mask(d);
  slot_color_ = routes.colors();
  slots_ = static_cast<int>(slot_color_.size());
  color_slot_.fill(unbound);
  for (int slot = 0; slot < slots_; ++slot) color_slot_[slot_color_[slot]] = static_cast<std::uint8_t>(slot);
  capacity_ =
      static_cast<int>(std::bit_ceil(static_cast<unsigned>(std::max(spec.router_queue_words, deepest_output_queue + spec.ramp_cycles))));
  const int deepest_input = *std::max_element(input_queue_words.begin(), input_queue_words.end());
  input_capacity_ = static_cast<int>(std::bit_ceil(static_cast<unsigned>(deepest_input + spec.ramp_cycles)));
  sim::require_invariant(capacity_ <= 128 && input_capacity_ <= 128, "a queue holds at most 128 words");

  sim::require_invariant(
      spec.hop_cycles >= 1 && spec.hop_cycles < static_cast<int>(later_slots) && spec.ramp_cycles + 1 < static_cast<int>(later_slots),
      "hops and ramps take 1 to 62 cycles");

  const std::size_t queues = pes * static_cast<std::size_t>(slots_);
  words_.resize(queues * static_cast<std::size_t>(capacity_));
  queues_.resize(queues);
  for (std::uint32_t pe = 0; pe < pes; ++pe)
    for (int slot = 0; slot < slots_; ++slot) {
      const Route& r = routes.get(coord(pe), slot_color_[slot]);
      auto found = std::find(routes_.begin(), routes_.end(), r);
      if (found == routes_.end()) found = routes_.insert(routes_.end(), r);
      Queue& queue = queues_[at(pe, slot)];
      queue.route = static_cast<std::uint8_t>(found - routes_.begin());
      queue.in = r.position[0].in;
      queue.out = r.position[0].out;
      if (const CounterFilter* filter = routes.filter(coord(pe), slot_color_[slot])) {
        queue.filtered = true;
        filters_.push_back({at(pe, slot), *filter, 0});
      }
    }
  pending_.resize(pes);
  blocked_.resize(pes);
  turn_.resize(pes);
  wants_room_.resize(pes);
  core_sleeps_.assign(pes, 1);
  active_.resize((pes + 63) / 64);
  input_words_.resize(pes * input_queues * static_cast<std::size_t>(input_capacity_));
  inputs_.resize(pes * input_queues);
  counters_.flits.resize(pes * directions);
}

std::uint16_t FabricBlock::along(std::uint32_t pe, Direction d) const {
  return static_cast<std::uint16_t>(d == north || d == south ? static_cast<int>(pe) % place_.width : static_cast<int>(pe) / place_.width);
}

std::uint32_t FabricBlock::border_pe(Direction d, std::uint16_t along_side) const {
  switch (d) {
    case north: return along_side;
    case south: return static_cast<std::uint32_t>((place_.height - 1) * place_.width + along_side);
    case west: return static_cast<std::uint32_t>(along_side * place_.width);
    case east: return static_cast<std::uint32_t>(along_side * place_.width + place_.width - 1);
    case ramp: break;
  }
  return 0;
}

void FabricBlock::set_edge_room(Direction d, std::uint16_t place, bool room) {
  std::vector<std::uint8_t>& rooms = edge_room_[d];
  if (rooms.empty()) rooms.resize(static_cast<std::size_t>(place_.height));
  if (room && rooms[place] == 0) {
    const std::uint32_t pe = border_pe(d, place);
    blocked_[pe] = 0;
    if (pending_[pe] != 0) activate(pe);
  }
  rooms[place] = room;
}

bool FabricBlock::awake() const {
  if (later_count_ != 0) return true;
  for (const std::uint64_t word : active_)
    if (word != 0) return true;
  for (const Direction d : links)
    if (neighbour_[d] && !neighbour_[d]->unblocked_across_[opposite(d)].empty()) return true;
  return false;
}

bool FabricBlock::enter(std::uint32_t pe, Direction d, Color color, const Wavelet& wavelet, Cycle now) {
  const std::uint8_t slot = color < RouteMap::max_colors ? color_slot_[color] : unbound;
  if (slot == unbound)
    throw sim::Error(sim::ErrorCategory::plan, fmt::format("color {} has no route, but an edge port sends on it", color));
  if (!accepts(pe, slot, d)) return false;
  push(pe, slot, {wavelet.payload, stamp(now + static_cast<Cycle>(spec_.hop_cycles), wavelet)}, now, spec_.hop_cycles);
  return true;
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
  std::uint8_t& slot = inputs_[pe * input_queues + static_cast<std::size_t>(queue)].slot;
  if (slot == unbound) return;
  require_empty_input(pe, queue);
  queues_[at(pe, slot)].input = unbound;
  slot = unbound;
}

void FabricBlock::bind_input(std::uint32_t pe, int queue, Color color) {
  const std::uint8_t slot = color < RouteMap::max_colors ? color_slot_[color] : unbound;
  std::uint8_t& bound = inputs_[pe * input_queues + static_cast<std::size_t>(queue)].slot;
  if (slot == unbound)
    throw sim::Error(sim::ErrorCategory::plan, fmt::format("input queue {} is bound to color {}, which has no route", queue, color));
  if (bound == slot) return;
  unbind_input(pe, queue);
  bound = slot;
  queues_[at(pe, slot)].input = static_cast<std::uint8_t>(queue);
  unblock(pe, slot);
}

Cycle FabricBlock::core_sleeps(std::uint32_t pe, Cycle now) {
  core_sleeps_[pe] = 1;
  Cycle first = ~Cycle{0};
  for (int queue = 0; queue < input_queues; ++queue) {
    const std::size_t q = pe * input_queues + static_cast<std::size_t>(queue);
    if (inputs_[q].count == 0) continue;
    const std::uint32_t arrival = input_words_[q * input_capacity_ + inputs_[q].head].stamp;
    if (!ready(arrival, now)) first = std::min(first, now + ((arrival - static_cast<std::uint32_t>(now)) & cycle_bits));
  }
  return first;
}

void FabricBlock::send(std::uint32_t pe, Color color, const Wavelet& wavelet, Cycle now) {
  const int delay = 1 + spec_.ramp_cycles;
  push(pe, color_slot_[color], {wavelet.payload, stamp(now + static_cast<Cycle>(delay), wavelet)}, now, delay);
}

int FabricBlock::waiting_in_router(std::uint32_t pe, Color color) const {
  return color_slot_[color] == unbound ? 0 : queues_[at(pe, color_slot_[color])].count;
}

int FabricBlock::bound_queue(std::uint32_t pe, Color color) const {
  return color_slot_[color] == unbound ? unbound : queues_[at(pe, color_slot_[color])].input;
}

Color FabricBlock::bound_color(std::uint32_t pe, int queue) const {
  const std::uint8_t slot = inputs_[pe * input_queues + static_cast<std::size_t>(queue)].slot;
  return slot == unbound ? unbound : slot_color_[slot];
}

RoutePosition FabricBlock::current_route(std::uint32_t pe, Color color) const {
  if (color_slot_[color] == unbound) return {};
  const Queue& q = queues_[at(pe, color_slot_[color])];
  return {q.in, q.out};
}

bool FabricBlock::flip_waiting(std::uint32_t pe, Color color, std::uint32_t bits) {
  if (waiting_in_router(pe, color) == 0) return false;
  const std::size_t i = at(pe, color_slot_[color]);
  words_[i * capacity_ + queues_[i].head].payload ^= bits;
  return true;
}

}  // namespace wafersim::fabric
