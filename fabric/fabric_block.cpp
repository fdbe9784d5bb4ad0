#include "fabric/fabric_block.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "sim/error.h"

namespace wafersim::fabric {
namespace {

constexpr std::uint32_t control_bit = 1u << 31, advance_bit = 1u << 30, cycle_bits = advance_bit - 1;

std::uint32_t stamp(Cycle from, const Wavelet& w) {
  return (static_cast<std::uint32_t>(from) & cycle_bits) | (w.control ? control_bit : 0u) | (w.advance ? advance_bit : 0u);
}

}  // namespace

FabricBlock::FabricBlock(const FabricSpec& spec, const RouteMap& routes, const Rectangle& place, const std::array<int, input_queues>& input_queue_words,
                         int deepest_output_queue)
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
  capacity_ = static_cast<int>(std::bit_ceil(static_cast<unsigned>(std::max(spec.router_queue_words, deepest_output_queue + spec.ramp_cycles))));
  const int deepest_input = *std::max_element(input_queue_words.begin(), input_queue_words.end());
  input_capacity_ = static_cast<int>(std::bit_ceil(static_cast<unsigned>(deepest_input + spec.ramp_cycles)));
  sim::require_invariant(capacity_ <= 128 && input_capacity_ <= 128, "a queue holds at most 128 words");

  const std::size_t queues = pes * static_cast<std::size_t>(slots_);
  words_.resize(queues * static_cast<std::size_t>(capacity_));
  head_.resize(queues);
  count_.resize(queues);
  position_.resize(queues);
  route_.resize(queues);
  route_index_.resize(queues);
  queue_of_.assign(queues, unbound);
  for (std::uint32_t pe = 0; pe < pes; ++pe)
    for (int slot = 0; slot < slots_; ++slot) {
      const Route& r = routes.get(coord(pe), slot_color_[slot]);
      auto found = std::find(routes_.begin(), routes_.end(), r);
      if (found == routes_.end()) found = routes_.insert(routes_.end(), r);
      route_index_[at(pe, slot)] = static_cast<std::uint8_t>(found - routes_.begin());
      route_[at(pe, slot)] = r.position[0];
      if (const CounterFilter* filter = routes.filter(coord(pe), slot_color_[slot])) {
        if (filter_.empty()) filter_.assign(queues, -1);
        filter_[at(pe, slot)] = static_cast<std::int32_t>(filters_.size());
        filters_.push_back({*filter, 0});
      }
    }
  pending_.resize(pes);
  turn_.resize(pes);
  wants_room_.resize(pes);
  active_.resize((pes + 63) / 64);
  input_words_.resize(pes * input_queues * static_cast<std::size_t>(input_capacity_));
  input_head_.resize(pes * input_queues);
  input_count_.resize(pes * input_queues);
  slot_of_queue_.assign(pes * input_queues, unbound);
  counters_.flits.resize(pes * directions);
}

bool FabricBlock::ready(std::uint32_t word_stamp, Cycle now) const {
  return ((static_cast<std::uint32_t>(now) - word_stamp) & cycle_bits) < (1u << 29);
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
  if (room && rooms[place] == 0 && pending_[border_pe(d, place)] != 0) activate(border_pe(d, place));
  rooms[place] = room;
}

bool FabricBlock::accepts(std::uint32_t pe, int slot, Direction from) const {
  const std::size_t i = at(pe, slot);
  return count_[i] < spec_.router_queue_words && (route_[i].in & mask(from)) != 0;
}

bool FabricBlock::link_room(std::uint32_t pe, int slot, Direction d) const {
  if (!leaves(pe, d)) return accepts(beside(pe, d), slot, opposite(d));
  if (const FabricBlock* block = neighbour_[d]) return block->accepts(block->border_pe(opposite(d), along(pe, d)), slot, opposite(d));
  return !edge_room_[d].empty() && edge_room_[d][along(pe, d)] != 0;
}

bool FabricBlock::has_room(std::uint32_t pe, int slot, DirectionMask out) const {
  if (out & mask(ramp)) {
    const std::uint8_t queue = queue_of_[at(pe, slot)];
    if (queue == unbound || input_count_[pe * input_queues + queue] >= input_queue_words_[queue] + spec_.ramp_cycles) return false;
  }
  for (const Direction d : links)
    if ((out & mask(d)) && !link_room(pe, slot, d)) return false;
  return true;
}

DirectionMask FabricBlock::outputs(std::uint32_t pe, int slot, const Entry& head) const {
  DirectionMask out = route_[at(pe, slot)].out;
  if (head.stamp & control_bit) return core_ignores(head.payload) ? static_cast<DirectionMask>(out & ~mask(ramp)) : out;
  if (!filter_.empty() && filter_[at(pe, slot)] >= 0) {
    const FilterState& f = filters_[static_cast<std::size_t>(filter_[at(pe, slot)])];
    if (f.count < f.filter.first || f.count >= f.filter.last) out &= static_cast<DirectionMask>(~mask(ramp));
  }
  return out;
}

void FabricBlock::evaluate(Cycle now) {
  grants_.clear();
  for (const Direction d : links) {
    crossing_[d].clear();
    if (const FabricBlock* block = neighbour_[d])
      for (const std::uint16_t place : block->wake_across_[opposite(d)]) activate(border_pe(d, place));
  }
  for (std::size_t word = 0; word < active_.size(); ++word) {
    for (std::uint64_t bits = active_[word]; bits != 0; bits &= bits - 1) {
      const std::uint32_t pe = static_cast<std::uint32_t>(word * 64) + static_cast<std::uint32_t>(std::countr_zero(bits));
      const std::uint32_t before_turn = (1u << turn_[pe]) - 1;
      DirectionMask claimed = 0;
      bool stay_awake = false;
      for (std::uint32_t slots : {pending_[pe] & ~before_turn, pending_[pe] & before_turn}) {
        for (; slots != 0; slots &= slots - 1) {
          const int slot = std::countr_zero(slots);
          const std::size_t i = at(pe, slot);
          const Entry& head = words_[i * capacity_ + head_[i]];
          if (!ready(head.stamp, now)) {
            stay_awake = true;
            continue;
          }
          const DirectionMask out = outputs(pe, slot, head);
          if (route_[i].out == 0) {
            const Coord c = coord(pe);
            throw sim::Error(sim::ErrorCategory::plan, fmt::format("a wavelet of color {} at PE ({}, {}) has no route on", slot_color_[slot], c.x, c.y));
          }
          if (out & claimed) {
            stay_awake = true;
            continue;
          }
          if (!has_room(pe, slot, out)) continue;
          claimed |= out;
          stay_awake = true;
          turn_[pe] = static_cast<std::uint8_t>(slot + 1 == slots_ ? 0 : slot + 1);
          grants_.push_back({pe, static_cast<std::uint8_t>(slot), out});
          for (const Direction d : links)
            if ((out & mask(d)) && leaves(pe, d))
              crossing_[d].push_back({along(pe, d), slot_color_[slot], {head.payload, (head.stamp & control_bit) != 0, false}});
        }
      }
      if (!stay_awake) active_[word] &= ~(1ull << (pe & 63));
    }
  }
}

void FabricBlock::commit(Cycle now) {
  for (auto& list : wake_across_) list.clear();
  for (const Grant& grant : grants_) {
    const std::size_t i = at(grant.pe, grant.slot);
    const Entry entry = words_[i * capacity_ + head_[i]];
    pop_router(grant.pe, grant.slot, now);
    for (const Direction d : links)
      if (grant.out & mask(d)) deliver(grant.pe, grant.slot, entry, d, now);
    if (grant.out & mask(ramp)) deliver_to_core(grant.pe, grant.slot, entry, now);
    const bool control = (entry.stamp & control_bit) != 0;
    if (control) move_switch(grant.pe, grant.slot, first_command(entry.payload));
    else if (entry.stamp & advance_bit) move_switch(grant.pe, grant.slot, SwitchCommand::advance);
    if (!control && !filter_.empty() && filter_[i] >= 0) {
      FilterState& f = filters_[static_cast<std::size_t>(filter_[i])];
      f.count = f.count + 1 == f.filter.period ? 0 : f.count + 1;
    }
  }
  for (const Direction d : links)
    if (const FabricBlock* block = neighbour_[d])
      for (const Crossing& c : block->crossing_[opposite(d)])
        push(border_pe(d, c.place), color_slot_[c.color], {c.wavelet.payload, stamp(now + static_cast<Cycle>(spec_.hop_cycles), c.wavelet)});
}

void FabricBlock::push(std::uint32_t pe, int slot, Entry entry) {
  const std::size_t i = at(pe, slot);
  if (count_[i] > 0) {
    const std::uint32_t last = words_[i * capacity_ + ((head_[i] + count_[i] - 1u) & (capacity_ - 1u))].stamp;
    if (((last ^ entry.stamp) & cycle_bits) == 0) {
      const Coord c = coord(pe);
      throw sim::Error(sim::ErrorCategory::plan, fmt::format("two inputs of color {} at PE ({}, {}) deliver in the same cycle {}", slot_color_[slot], c.x, c.y, entry.stamp & cycle_bits));
    }
  }
  words_[i * capacity_ + ((head_[i] + count_[i]) & (capacity_ - 1u))] = entry;
  ++count_[i];
  ++waiting_;
  pending_[pe] |= 1u << slot;
  activate(pe);
}

void FabricBlock::pop_router(std::uint32_t pe, int slot, Cycle now) {
  const std::size_t i = at(pe, slot);
  if (count_[i] >= spec_.router_queue_words) wake_upstream(pe, route_[i].in);
  head_[i] = static_cast<std::uint8_t>((head_[i] + 1) & (capacity_ - 1));
  --waiting_;
  if (--count_[i] == 0) pending_[pe] &= ~(1u << slot);
  if (wants_room_[pe] & (1u << slot)) {
    wants_room_[pe] &= ~(1u << slot);
    wakes_.push_back({pe, now});
  }
}

void FabricBlock::wake_upstream(std::uint32_t pe, DirectionMask inputs) {
  for (const Direction d : links) {
    if (!(inputs & mask(d))) continue;
    if (!leaves(pe, d)) activate(beside(pe, d));
    else if (neighbour_[d]) wake_across_[d].push_back(along(pe, d));
  }
}

void FabricBlock::deliver(std::uint32_t pe, int slot, const Entry& entry, Direction d, Cycle now) {
  ++counters_.flits[pe * directions + d];
  if (!leaves(pe, d)) {
    ++counters_.hops;
    push(beside(pe, d), slot, {entry.payload, (static_cast<std::uint32_t>(now + static_cast<Cycle>(spec_.hop_cycles)) & cycle_bits) | (entry.stamp & control_bit)});
  } else if (neighbour_[d]) {
    ++counters_.hops;
  }
}

void FabricBlock::deliver_to_core(std::uint32_t pe, int slot, const Entry& entry, Cycle now) {
  const std::size_t queue = pe * input_queues + queue_of_[at(pe, slot)];
  const Cycle arrival = now + static_cast<Cycle>(spec_.ramp_cycles);
  input_words_[queue * input_capacity_ + ((input_head_[queue] + input_count_[queue]) & (input_capacity_ - 1u))] = {
      entry.payload, (static_cast<std::uint32_t>(arrival) & cycle_bits) | (entry.stamp & control_bit)};
  ++input_count_[queue];
  ++counters_.flits[pe * directions + ramp];
  wakes_.push_back({pe, arrival});
}

void FabricBlock::move_switch(std::uint32_t pe, int slot, SwitchCommand command) {
  const std::size_t i = at(pe, slot);
  const Route& r = routes_[route_index_[i]];
  if (r.positions == 1) return;
  int position = position_[i];
  switch (command) {
    case SwitchCommand::nop: return;
    case SwitchCommand::advance: position = position + 1 < r.positions ? position + 1 : r.ring ? 0 : position; break;
    case SwitchCommand::reset: position = 0; break;
  }
  position_[i] = static_cast<std::uint8_t>(position);
  route_[i] = r.position[position];
  activate(pe);
  wake_upstream(pe, route_[i].in);
  if (wants_room_[pe] & (1u << slot)) wakes_.push_back({pe, 0});
}

bool FabricBlock::awake() const {
  for (const std::uint64_t word : active_)
    if (word != 0) return true;
  for (const Direction d : links)
    if (neighbour_[d] && !neighbour_[d]->wake_across_[opposite(d)].empty()) return true;
  return false;
}

bool FabricBlock::enter(std::uint32_t pe, Direction d, Color color, const Wavelet& wavelet, Cycle now) {
  const std::uint8_t slot = color < RouteMap::max_colors ? color_slot_[color] : unbound;
  if (slot == unbound) throw sim::Error(sim::ErrorCategory::plan, fmt::format("color {} has no route, but an edge port sends on it", color));
  if (!accepts(pe, slot, d)) return false;
  push(pe, slot, {wavelet.payload, stamp(now + static_cast<Cycle>(spec_.hop_cycles), wavelet)});
  return true;
}

void FabricBlock::require_empty_input(std::uint32_t pe, int queue) const {
  const std::uint8_t count = input_count_[pe * input_queues + static_cast<std::size_t>(queue)];
  if (count == 0) return;
  const Coord c = coord(pe);
  throw sim::Error(sim::ErrorCategory::plan,
                   fmt::format("input queue {} at PE ({}, {}) is given another color while it holds {} wavelets of color {}", queue, c.x, c.y, count, bound_color(pe, queue)));
}

void FabricBlock::unbind_input(std::uint32_t pe, int queue) {
  std::uint8_t& slot = slot_of_queue_[pe * input_queues + static_cast<std::size_t>(queue)];
  if (slot == unbound) return;
  require_empty_input(pe, queue);
  queue_of_[at(pe, slot)] = unbound;
  slot = unbound;
}

void FabricBlock::bind_input(std::uint32_t pe, int queue, Color color) {
  const std::uint8_t slot = color < RouteMap::max_colors ? color_slot_[color] : unbound;
  std::uint8_t& bound = slot_of_queue_[pe * input_queues + static_cast<std::size_t>(queue)];
  if (slot == unbound) throw sim::Error(sim::ErrorCategory::plan, fmt::format("input queue {} is bound to color {}, which has no route", queue, color));
  if (bound == slot) return;
  unbind_input(pe, queue);
  bound = slot;
  queue_of_[at(pe, slot)] = static_cast<std::uint8_t>(queue);
  activate(pe);
}

bool FabricBlock::peek(std::uint32_t pe, int queue, Cycle now, Arrived* out) const {
  const std::size_t q = pe * input_queues + static_cast<std::size_t>(queue);
  if (input_count_[q] == 0) return false;
  const Entry& entry = input_words_[q * input_capacity_ + input_head_[q]];
  if (!ready(entry.stamp, now)) return false;
  *out = {entry.payload, (entry.stamp & control_bit) != 0};
  return true;
}

void FabricBlock::pop(std::uint32_t pe, int queue) {
  const std::size_t q = pe * input_queues + static_cast<std::size_t>(queue);
  if (input_count_[q] >= input_queue_words_[queue] + spec_.ramp_cycles) activate(pe);
  input_head_[q] = static_cast<std::uint8_t>((input_head_[q] + 1) & (input_capacity_ - 1));
  --input_count_[q];
}

bool FabricBlock::can_send(std::uint32_t pe, Color color, int queue_words) const {
  const std::size_t i = at(pe, color_slot_[color]);
  return count_[i] < queue_words + spec_.ramp_cycles && (route_[i].in & mask(ramp)) != 0;
}

void FabricBlock::send(std::uint32_t pe, Color color, const Wavelet& wavelet, Cycle now) {
  push(pe, color_slot_[color], {wavelet.payload, stamp(now + 1 + static_cast<Cycle>(spec_.ramp_cycles), wavelet)});
}

int FabricBlock::waiting_in_router(std::uint32_t pe, Color color) const { return color_slot_[color] == unbound ? 0 : count_[at(pe, color_slot_[color])]; }

int FabricBlock::bound_queue(std::uint32_t pe, Color color) const { return color_slot_[color] == unbound ? unbound : queue_of_[at(pe, color_slot_[color])]; }

Color FabricBlock::bound_color(std::uint32_t pe, int queue) const {
  const std::uint8_t slot = slot_of_queue_[pe * input_queues + static_cast<std::size_t>(queue)];
  return slot == unbound ? unbound : slot_color_[slot];
}

RoutePosition FabricBlock::current_route(std::uint32_t pe, Color color) const {
  return color_slot_[color] == unbound ? RoutePosition{} : route_[at(pe, color_slot_[color])];
}

bool FabricBlock::drop_waiting(std::uint32_t pe, Color color) {
  if (waiting_in_router(pe, color) == 0) return false;
  pop_router(pe, color_slot_[color], 0);
  return true;
}

bool FabricBlock::flip_waiting(std::uint32_t pe, Color color, std::uint32_t bits) {
  if (waiting_in_router(pe, color) == 0) return false;
  const std::size_t i = at(pe, color_slot_[color]);
  words_[i * capacity_ + head_[i]].payload ^= bits;
  return true;
}

}  // namespace wafersim::fabric
