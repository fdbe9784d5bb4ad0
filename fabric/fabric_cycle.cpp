// One cycle of a block's routers: what crosses the links, and where it goes.
#include <algorithm>
#include <bit>
#include <fmt/format.h>

#include "fabric/fabric_block.h"
#include "sim/error.h"

namespace wafersim::fabric {
namespace {
// Queues are spread over more memory than the caches hold: so many routers ahead of the one at work are fetched.
constexpr std::size_t ahead = 4;
}  // namespace

[[gnu::always_inline]] inline bool FabricBlock::link_room(std::uint32_t pe, int slot, Direction d) const {
  if (!leaves(pe, d)) return accepts(beside(pe, d), slot, opposite(d));
  if (const FabricBlock* block = neighbour_[d]) return block->accepts(block->border_pe(opposite(d), along(pe, d)), slot, opposite(d));
  return !edge_room_[d].empty() && edge_room_[d][along(pe, d)] != 0;
}

[[gnu::always_inline]] inline bool FabricBlock::has_room(std::uint32_t pe, int slot, const Queue& queue, DirectionMask out) const {
  if (out & mask(ramp)) {
    if (queue.input == unbound) return false;
    if (inputs_[pe * input_queues + queue.input].count >= input_queue_words_[queue.input] + spec_.ramp_cycles) return false;
  }
  for (unsigned left = out & ~static_cast<unsigned>(mask(ramp)); left != 0; left &= left - 1)
    if (!link_room(pe, slot, static_cast<Direction>(std::countr_zero(left)))) return false;
  return true;
}

FabricBlock::FilterState& FabricBlock::filter_of(std::size_t queue) const {
  return *std::lower_bound(filters_.begin(), filters_.end(), queue, [](const FilterState& f, std::size_t q) { return f.queue < q; });
}

DirectionMask FabricBlock::outputs(std::size_t queue, const Entry& head) const {
  DirectionMask out = queues_[queue].out;
  if (head.stamp & control_bit) return core_ignores(head.payload) ? static_cast<DirectionMask>(out & ~mask(ramp)) : out;
  if (queues_[queue].filtered) {
    const FilterState& f = filter_of(queue);
    if (f.count < f.filter.first || f.count >= f.filter.last) out &= static_cast<DirectionMask>(~mask(ramp));
  }
  return out;
}

void FabricBlock::evaluate(Cycle now) {
  grants_.clear();
  evaluated_ = now;
  for (const Direction d : links) {
    crossing_[d].clear();
    if (const FabricBlock* block = neighbour_[d])
      for (const Unblocked& u : block->unblocked_across_[opposite(d)]) unblock(border_pe(d, u.place), u.slot);
  }
  std::vector<std::uint32_t>& due = later_[now % later_slots];
  for (const std::uint32_t pe : due) activate(pe);
  later_count_ -= due.size();
  due.clear();
  visited_.clear();
  for (std::size_t word = 0; word < active_.size(); ++word)
    for (std::uint64_t bits = active_[word]; bits != 0; bits &= bits - 1)
      visited_.push_back(static_cast<std::uint32_t>(word * 64) + static_cast<std::uint32_t>(std::countr_zero(bits)));
  for (std::size_t k = 0; k < visited_.size(); ++k) {
    if (k + 2 * ahead < visited_.size()) prefetch_queue(visited_[k + 2 * ahead]);
    if (k + ahead < visited_.size()) prefetch_head(visited_[k + ahead]);
    evaluate_router(visited_[k], now);
  }
}

void FabricBlock::prefetch_queue(std::uint32_t pe) const {
  const std::uint32_t candidates = pending_[pe] & ~blocked_[pe];
  if (candidates != 0) __builtin_prefetch(&queues_[at(pe, std::countr_zero(candidates))]);
}

void FabricBlock::prefetch_head(std::uint32_t pe) const {
  for (std::uint32_t candidates = pending_[pe] & ~blocked_[pe]; candidates != 0; candidates &= candidates - 1) {
    const std::size_t i = at(pe, std::countr_zero(candidates));
    __builtin_prefetch(&words_[i * capacity_ + queues_[i].head]);
  }
}

void FabricBlock::prefetch_targets(const Grant& grant) const {
  __builtin_prefetch(&counters_.flits[grant.pe * directions], 1);
  if (grant.out & mask(ramp)) {
    const std::size_t queue = grant.pe * input_queues + queues_[at(grant.pe, grant.slot)].input;
    __builtin_prefetch(&inputs_[queue], 1);
    __builtin_prefetch(&input_words_[queue * static_cast<std::size_t>(input_capacity_)], 1);
  }
  for (const Direction d : links) {
    if (!(grant.out & mask(d)) || leaves(grant.pe, d)) continue;
    const std::size_t i = at(beside(grant.pe, d), grant.slot);
    __builtin_prefetch(&queues_[i], 1);
    __builtin_prefetch(&words_[i * static_cast<std::size_t>(capacity_)], 1);
  }
}

// What becomes of the first wavelet of a color this cycle.
[[gnu::always_inline]] inline FabricBlock::Verdict FabricBlock::consider(std::uint32_t pe, int slot, Cycle now, DirectionMask& claimed) {
  const std::size_t i = at(pe, slot);
  const Queue& queue = queues_[i];
  const Entry& head = words_[i * capacity_ + queue.head];
  if (!ready(head.stamp, now)) return Verdict::on_its_way;  // its arrival will wake the router
  if (queue.out == 0) {
    const Coord c = coord(pe);
    throw sim::Error(sim::ErrorCategory::plan,
                     fmt::format("a wavelet of color {} at PE ({}, {}) has no route on", slot_color_[slot], c.x, c.y));
  }
  const DirectionMask out = !(head.stamp & control_bit) && !queue.filtered ? queue.out : outputs(i, head);
  if (out & claimed) return Verdict::contended;
  if (!has_room(pe, slot, queue, out)) {
    blocked_[pe] |= 1u << slot;
    return Verdict::blocked;
  }
  claimed |= out;
  turn_[pe] = static_cast<std::uint8_t>(slot + 1 == slots_ ? 0 : slot + 1);
  grants_.push_back({pe, static_cast<std::uint8_t>(slot), out});
  if (out & border_[pe])
    for (const Direction d : links)
      if (out & border_[pe] & mask(d))
        crossing_[d].push_back({along(pe, d), slot_color_[slot], {head.payload, (head.stamp & control_bit) != 0, false}});
  return queue.count > 1 ? Verdict::more : Verdict::last;
}

void FabricBlock::evaluate_router(std::uint32_t pe, Cycle now) {
  const std::uint32_t candidates = pending_[pe] & ~blocked_[pe];
  DirectionMask claimed = 0;
  bool stay_awake = false;
  const auto visit = [&](std::uint32_t slots) {
    for (; slots != 0; slots &= slots - 1) {
      const Verdict v = consider(pe, std::countr_zero(slots), now, claimed);
      stay_awake = stay_awake || v == Verdict::more || v == Verdict::contended;
    }
  };
  if ((candidates & (candidates - 1)) == 0) {
    visit(candidates);
  } else {
    const std::uint32_t before_turn = (1u << turn_[pe]) - 1;
    visit(candidates & ~before_turn);
    visit(candidates & before_turn);
  }
  if (!stay_awake) active_[pe >> 6] &= ~(1ull << (pe & 63));
}

// `entry` may move from cycle now + delay on; the router looks at it then.
void FabricBlock::push(std::uint32_t pe, int slot, Entry entry, Cycle now, int delay) {
  const std::size_t i = at(pe, slot);
  Queue& queue = queues_[i];
  Entry* ring = &words_[i * capacity_];
  const unsigned wrap = static_cast<unsigned>(capacity_) - 1;
  if (queue.count > 0 && ((ring[(queue.head + queue.count - 1u) & wrap].stamp ^ entry.stamp) & cycle_bits) == 0) {
    const Coord c = coord(pe);
    throw sim::Error(sim::ErrorCategory::plan, fmt::format("two inputs of color {} at PE ({}, {}) deliver in the same cycle {}",
                                                           slot_color_[slot], c.x, c.y, now + static_cast<Cycle>(delay)));
  }
  ring[(queue.head + queue.count) & wrap] = entry;
  ++queue.count;
  ++waiting_;
  pending_[pe] |= 1u << slot;
  if (delay == 1 && evaluated_ == now) {
    activate(pe);
  } else {
    later_[(now + static_cast<Cycle>(delay)) % later_slots].push_back(pe);
    ++later_count_;
  }
}

[[gnu::always_inline]] inline void FabricBlock::pop_router(std::uint32_t pe, int slot, Cycle now) {
  Queue& queue = queues_[at(pe, slot)];
  if (queue.count >= spec_.router_queue_words) unblock_upstream(pe, slot, queue.in);
  queue.head = static_cast<std::uint8_t>((queue.head + 1) & (capacity_ - 1));
  --waiting_;
  if (--queue.count == 0) pending_[pe] &= ~(1u << slot);
  if (wants_room_[pe] & (1u << slot)) {
    wants_room_[pe] &= ~(1u << slot);
    wakes_.push_back({pe, now});
  }
}

void FabricBlock::unblock_upstream(std::uint32_t pe, int slot, DirectionMask inputs) {
  for (const Direction d : links) {
    if (!(inputs & mask(d))) continue;
    if (!leaves(pe, d))
      unblock(beside(pe, d), slot);
    else if (neighbour_[d])
      unblocked_across_[d].push_back({along(pe, d), static_cast<std::uint8_t>(slot)});
  }
}

[[gnu::always_inline]] inline void FabricBlock::deliver(std::uint32_t pe, int slot, const Entry& entry, Direction d, Cycle now) {
  ++counters_.flits[pe * directions + d];
  const bool inside = !leaves(pe, d);
  if (inside)
    push(beside(pe, d), slot,
         {entry.payload,
          (static_cast<std::uint32_t>(now + static_cast<Cycle>(spec_.hop_cycles)) & cycle_bits) | (entry.stamp & control_bit)},
         now, spec_.hop_cycles);
  if (inside || neighbour_[d]) ++counters_.hops;
}

[[gnu::always_inline]] inline void FabricBlock::deliver_to_core(std::uint32_t pe, const Queue& queue, const Entry& entry, Cycle now) {
  InputQueue& input = inputs_[pe * input_queues + queue.input];
  const Cycle arrival = now + static_cast<Cycle>(spec_.ramp_cycles);
  input_words_[(pe * input_queues + queue.input) * input_capacity_ + ((input.head + input.count) & (input_capacity_ - 1u))] = {
      entry.payload, (static_cast<std::uint32_t>(arrival) & cycle_bits) | (entry.stamp & control_bit)};
  ++input.count;
  ++counters_.flits[pe * directions + ramp];
  if (core_sleeps_[pe]) {
    core_sleeps_[pe] = 0;
    wakes_.push_back({pe, arrival});
  }
}

void FabricBlock::move_switch(std::uint32_t pe, int slot, SwitchCommand command, Cycle now) {
  Queue& queue = queues_[at(pe, slot)];
  const Route& r = routes_[queue.route];
  if (r.positions == 1) return;
  switch (command) {
    case SwitchCommand::nop: return;
    case SwitchCommand::advance:
      queue.position = static_cast<std::uint8_t>(queue.position + 1 < r.positions ? queue.position + 1 : r.ring ? 0 : queue.position);
      break;
    case SwitchCommand::reset: queue.position = 0; break;
  }
  queue.in = r.position[queue.position].in;
  queue.out = r.position[queue.position].out;
  unblock(pe, slot);
  unblock_upstream(pe, slot, queue.in);
  if (wants_room_[pe] & (1u << slot)) wakes_.push_back({pe, now});
}

void FabricBlock::commit(Cycle now) {
  for (auto& list : unblocked_across_) list.clear();
  for (std::size_t k = 0; k < grants_.size(); ++k) {
    if (k + ahead < grants_.size()) prefetch_targets(grants_[k + ahead]);
    const Grant grant = grants_[k];
    const std::size_t i = at(grant.pe, grant.slot);
    const Queue& queue = queues_[i];
    const Entry entry = words_[i * capacity_ + queue.head];
    pop_router(grant.pe, grant.slot, now);
    for (unsigned left = grant.out & ~static_cast<unsigned>(mask(ramp)); left != 0; left &= left - 1)
      deliver(grant.pe, grant.slot, entry, static_cast<Direction>(std::countr_zero(left)), now);
    if (grant.out & mask(ramp)) deliver_to_core(grant.pe, queue, entry, now);
    const bool control = (entry.stamp & control_bit) != 0;
    if (control)
      move_switch(grant.pe, grant.slot, first_command(entry.payload), now);
    else if (entry.stamp & advance_bit)
      move_switch(grant.pe, grant.slot, SwitchCommand::advance, now);
    if (queue.filtered && !control) {
      FilterState& f = filter_of(i);
      f.count = f.count + 1 == f.filter.period ? 0 : f.count + 1;
    }
  }
  for (const Direction d : links)
    if (const FabricBlock* block = neighbour_[d])
      for (const Crossing& c : block->crossing_[opposite(d)])
        push(border_pe(d, c.place), color_slot_[c.color], {c.wavelet.payload, stamp(now + static_cast<Cycle>(spec_.hop_cycles), c.wavelet)},
             now, spec_.hop_cycles);
}

bool FabricBlock::drop_waiting(std::uint32_t pe, Color color) {
  if (waiting_in_router(pe, color) == 0) return false;
  pop_router(pe, color_slot_[color], 0);
  return true;
}

}  // namespace wafersim::fabric
