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

[[gnu::always_inline]] inline bool FabricBlock::has_room(std::uint32_t pe, int slot, const Router& router, const RouterQueue& queue,
                                                         DirectionMask out) const {
  if (out & mask(ramp)) {
    if (queue.input == unbound) return false;
    if (router.input[queue.input].count >= input_queue_words_[queue.input] + spec_.ramp_cycles) return false;
  }
  for (unsigned left = out & ~static_cast<unsigned>(mask(ramp)); left != 0; left &= left - 1) {
    const auto d = static_cast<Direction>(std::countr_zero(left));
    if (router.border & mask(d) ? !room_outside(pe, slot, d) : !accepts(beside(pe, d), slot, opposite(d))) return false;
  }
  return true;
}

FabricBlock::FilterState& FabricBlock::filter_of(std::size_t queue) {
  return *std::lower_bound(filters_.begin(), filters_.end(), queue, [](const FilterState& f, std::size_t q) { return f.queue < q; });
}

DirectionMask FabricBlock::outputs(std::size_t queue, const RouterWord& head) {
  DirectionMask out = queues_[queue].out;
  if (head.control) return core_ignores(head.payload) ? static_cast<DirectionMask>(out & ~mask(ramp)) : out;
  if (queues_[queue].filtered) {
    const FilterState& f = filter_of(queue);
    if (f.count < f.filter.first || f.count >= f.filter.last) out &= static_cast<DirectionMask>(~mask(ramp));
  }
  return out;
}

// One more wavelet of the queue may move from now on.
[[gnu::always_inline]] inline void FabricBlock::arrive(std::uint32_t pe, int slot, RouterQueue& queue) {
  ++queue.arrived;
  routers_[pe].pending |= 1u << slot;
  activate(pe);
}

void FabricBlock::evaluate(Cycle now) {
  grants_.clear();
  take_borders();
  evaluated_ = now;
  std::vector<Arrival>& due = later_[now % later_slots];
  for (std::size_t k = 0; k < due.size(); ++k) {
    if (k + 2 * ahead < due.size()) __builtin_prefetch(&queues_[at(due[k + 2 * ahead].pe, due[k + 2 * ahead].slot)], 1);
    arrive(due[k].pe, due[k].slot, queues_[at(due[k].pe, due[k].slot)]);
  }
  later_count_ -= due.size();
  due.clear();
  visited_.clear();
  for (std::size_t word = 0; word < active_.size(); ++word)
    for (std::uint64_t bits = active_[word]; bits != 0; bits &= bits - 1)
      visited_.push_back(static_cast<std::uint32_t>(word * 64) + static_cast<std::uint32_t>(std::countr_zero(bits)));
  for (std::size_t k = 0; k < visited_.size(); ++k) {
    if (k + 3 * ahead < visited_.size()) __builtin_prefetch(&routers_[visited_[k + 3 * ahead]], 1);
    if (k + ahead < visited_.size()) prefetch_queues(visited_[k + ahead]);
    evaluate_router(visited_[k]);
  }
}

void FabricBlock::prefetch_queues(std::uint32_t pe) const {
  const Router& router = routers_[pe];
  for (std::uint32_t candidates = router.pending & ~router.blocked; candidates != 0; candidates &= candidates - 1)
    __builtin_prefetch(&queues_[at(pe, std::countr_zero(candidates))], 1);
}

void FabricBlock::prefetch_targets(const Grant& grant) const {
  if (grant.out & mask(ramp)) {
    const RouterQueue& queue = queues_[at(grant.pe, grant.slot)];
    __builtin_prefetch(&input_words_[input_at(grant.pe, queue.input)], 1);
  }
  for (const Direction d : links) {
    if (!(grant.out & mask(d)) || leaves(grant.pe, d)) continue;
    __builtin_prefetch(&queues_[at(beside(grant.pe, d), grant.slot)], 1);
  }
}

void FabricBlock::refuse_no_route(std::uint32_t pe, int slot) const {
  const Coord c = coord(pe);
  throw sim::Error(sim::ErrorCategory::plan,
                   fmt::format("a wavelet of color {} at PE ({}, {}) has no route on", slot_color_[slot], c.x, c.y));
}

void FabricBlock::refuse_two_inputs(std::uint32_t pe, int slot, Cycle arrival) const {
  const Coord c = coord(pe);
  throw sim::Error(sim::ErrorCategory::plan,
                   fmt::format("two inputs of color {} at PE ({}, {}) deliver in the same cycle {}", slot_color_[slot], c.x, c.y, arrival));
}

// What becomes of the first wavelet of a color this cycle.
[[gnu::always_inline]] inline FabricBlock::Verdict FabricBlock::consider(std::uint32_t pe, int slot, Router& router,
                                                                         DirectionMask& claimed) {
  const std::size_t i = at(pe, slot);
  const RouterQueue& queue = queues_[i];
  if (queue.out == 0) refuse_no_route(pe, slot);
  const RouterWord head = queues_.front(queue);
  const DirectionMask out = !head.control && !queue.filtered ? queue.out : outputs(i, head);
  if (out & claimed) return Verdict::contended;
  if (!has_room(pe, slot, router, queue, out)) {
    router.blocked |= 1u << slot;
    return Verdict::blocked;
  }
  claimed |= out;
  router.turn = static_cast<std::uint8_t>(static_cast<unsigned>(slot) + 1 == slots_ ? 0 : slot + 1);
  grants_.push_back({pe, static_cast<std::uint8_t>(slot), out});
  if (out & router.border) cross(pe, slot, out, head);
  return queue.arrived > 1 ? Verdict::more : Verdict::last;
}

[[gnu::always_inline]] inline void FabricBlock::evaluate_router(std::uint32_t pe) {
  Router& router = routers_[pe];
  const std::uint32_t candidates = router.pending & ~router.blocked;
  DirectionMask claimed = 0;
  bool stay_awake = false;
  // The slots from the turn on, then those before it.
  const unsigned turn = (candidates & (candidates - 1)) == 0 ? 0u : router.turn;
  for (std::uint64_t slots = ((static_cast<std::uint64_t>(candidates) << 32) | candidates) >> turn; slots != 0; slots &= slots - 1) {
    const unsigned slot = static_cast<unsigned>(std::countr_zero(slots)) + turn;
    if (slot >= 32 + turn) break;
    const Verdict v = consider(pe, static_cast<int>(slot & 31), router, claimed);
    stay_awake = stay_awake || v == Verdict::more || v == Verdict::contended;
  }
  if (!stay_awake) active_[pe >> 6] &= ~(1ull << (pe & 63));
}

// `word` may move from cycle now + delay on; the router looks at it then.
[[gnu::always_inline]] inline void FabricBlock::push(std::uint32_t pe, int slot, RouterWord word, Direction from, Cycle now, int delay) {
  RouterQueue& queue = queues_[at(pe, slot)];
  if (queue.shared) [[unlikely]]
    return push_shared(pe, slot, word, from, now, delay);
  const auto arrival = static_cast<std::uint32_t>(now) + static_cast<std::uint32_t>(delay);
  if (queue.count > 0 && queue.last_arrival == arrival) refuse_two_inputs(pe, slot, now + static_cast<Cycle>(delay));
  queue.last_arrival = arrival;
  queues_.push(queue, word);
  ++waiting_;
  if (delay == 1 && evaluated_ == now) {
    arrive(pe, slot, queue);
  } else {
    later_[(now + static_cast<Cycle>(delay)) % later_slots].push_back({pe, static_cast<std::uint8_t>(slot)});
    ++later_count_;
  }
}

// Inputs differ in delay: a word overtakes those that are on the way until later.
[[gnu::noinline, gnu::cold]] void FabricBlock::push_shared(std::uint32_t pe, int slot, const RouterWord& word, Direction from, Cycle now,
                                                           int delay) {
  RouterQueue& queue = queues_[at(pe, slot)];
  const Cycle arrival = now + static_cast<Cycle>(delay);
  unsigned before = queue.arrived;
  for (Cycle cycle = now; cycle <= arrival; ++cycle)
    for (const Arrival& other : later_[cycle % later_slots])
      if (other.pe == pe && other.slot == slot) {
        if (cycle == arrival) refuse_two_inputs(pe, slot, arrival);
        ++before;
      }
  queues_.insert(queue, before, word, from);
  ++waiting_;
  later_[arrival % later_slots].push_back({pe, static_cast<std::uint8_t>(slot)});
  ++later_count_;
}

void FabricBlock::send(std::uint32_t pe, Color color, const Wavelet& wavelet, Cycle now) {
  push(pe, color_slot_[color], {wavelet.payload, wavelet.control, wavelet.advance}, ramp, now, 1 + spec_.ramp_cycles);
}

bool FabricBlock::enter(std::uint32_t pe, Direction d, Color color, const Wavelet& wavelet, Cycle now) {
  const std::uint8_t slot = color < RouteMap::max_colors ? color_slot_[color] : unbound;
  if (slot == unbound)
    throw sim::Error(sim::ErrorCategory::plan, fmt::format("color {} has no route, but an edge port sends on it", color));
  if (!accepts(pe, slot, d)) return false;
  push(pe, slot, {wavelet.payload, wavelet.control, wavelet.advance}, d, now, spec_.hop_cycles);
  return true;
}

[[gnu::always_inline]] inline void FabricBlock::pop_router(std::uint32_t pe, int slot, Router& router, RouterQueue& queue, Cycle now) {
  const DirectionMask inputs = queue.shared ? static_cast<DirectionMask>(queue.in & mask(queues_.from(queue, 0))) : queue.in;
  const bool full = queue.count >= spec_.router_queue_words;
  if (full) unblock_upstream(pe, slot, inputs);
  queues_.pop(queue);
  if (const unsigned sides = inputs & router.border; sides != 0) tell_room(pe, slot, sides, full);
  --waiting_;
  if (queue.arrived == 0) router.pending &= ~(1u << slot);
  if (router.wants_room & (1u << slot)) {
    router.wants_room &= ~(1u << slot);
    wakes_.push_back({pe, now});
  }
}

// Those inside the block. Seldom called: kept out of pops.
[[gnu::noinline]] void FabricBlock::unblock_upstream(std::uint32_t pe, int slot, DirectionMask inputs) {
  for (unsigned left = inputs & ~static_cast<unsigned>(mask(ramp) | routers_[pe].border); left != 0; left &= left - 1)
    unblock(beside(pe, static_cast<Direction>(std::countr_zero(left))), slot);
}

[[gnu::always_inline]] inline void FabricBlock::deliver(std::uint32_t pe, int slot, Router& router, const RouterWord& word, Direction d,
                                                        Cycle now) {
  count_flit(pe, router, d);
  if (!(router.border & mask(d))) {
    push(beside(pe, d), slot, {word.payload, word.control, false}, opposite(d), now, spec_.hop_cycles);
    ++hops_;
  } else if (neighbour_[d]) {
    ++hops_;
  }
}

[[gnu::always_inline]] inline void FabricBlock::deliver_to_core(std::uint32_t pe, Router& router, int queue, const RouterWord& word,
                                                                Cycle now) {
  InputQueue& input = router.input[queue];
  const Cycle arrival = now + static_cast<Cycle>(spec_.ramp_cycles);
  const unsigned place = (input.head + input.count) & ((1u << input_capacity_log2_) - 1);
  input_words_[input_at(pe, queue) + place] = {word.payload,
                                               (static_cast<std::uint32_t>(arrival) & cycle_bits) | (word.control ? control_bit : 0u)};
  ++input.count;
  count_flit(pe, router, ramp);
  if (router.core_sleeps) {
    router.core_sleeps = false;
    wakes_.push_back({pe, arrival});
  }
}

void FabricBlock::move_switch(std::uint32_t pe, int slot, SwitchCommand command, Cycle now) {
  RouterQueue& queue = queues_[at(pe, slot)];
  const Route& r = routes_[queue.route];
  if (r.positions == 1) return;
  switch (command) {
    case SwitchCommand::nop: return;
    case SwitchCommand::advance:
      queue.position = static_cast<std::uint8_t>(queue.position + 1 < r.positions ? queue.position + 1 : r.ring ? 0 : queue.position);
      break;
    case SwitchCommand::reset: queue.position = 0; break;
  }
  const DirectionMask before = queue.in;
  queue.in = r.position[queue.position].in;
  queue.out = r.position[queue.position].out;
  unblock(pe, slot);
  unblock_upstream(pe, slot, queue.in);
  tell_room(pe, slot, static_cast<unsigned>(before | queue.in) & routers_[pe].border, true);
  if (routers_[pe].wants_room & (1u << slot)) wakes_.push_back({pe, now});
}

// Opens the borders of a new cycle and reads those of the last one, in which this block's own words crossed as well.
void FabricBlock::take_borders() {
  const unsigned last = parity_;
  parity_ ^= 1;
  for (const Direction d : links) {
    Border& mine = border_[parity_][d];
    mine.words.clear();
    mine.rooms.clear();
    mine.room_again = false;
    if (!neighbour_[d]) continue;
    const Border& told = neighbour_[d]->border_[last][opposite(d)];
    for (const Room& room : told.rooms) {
      room_behind(d, room.place, room.slot) = room.words;
      if (room.again) unblock(border_pe(d, room.place), room.slot);
    }
    for (const Crossing& c : border_[last][d].words) --room_behind(d, c.place, color_slot_[c.color]);
    for (const Crossing& c : told.words)
      push(border_pe(d, c.place), color_slot_[c.color], {c.wavelet.payload, c.wavelet.control, false}, d, evaluated_, spec_.hop_cycles);
  }
}

void FabricBlock::commit(Cycle now) {
  for (std::size_t k = 0; k < grants_.size(); ++k) {
    if (k + ahead < grants_.size()) prefetch_targets(grants_[k + ahead]);
    const Grant grant = grants_[k];
    const std::size_t i = at(grant.pe, grant.slot);
    RouterQueue& queue = queues_[i];
    Router& router = routers_[grant.pe];
    const RouterWord word = queues_.front(queue);
    pop_router(grant.pe, grant.slot, router, queue, now);
    for (unsigned left = grant.out & ~static_cast<unsigned>(mask(ramp)); left != 0; left &= left - 1)
      deliver(grant.pe, grant.slot, router, word, static_cast<Direction>(std::countr_zero(left)), now);
    if (grant.out & mask(ramp)) deliver_to_core(grant.pe, router, queue.input, word, now);
    if (word.control)
      move_switch(grant.pe, grant.slot, first_command(word.payload), now);
    else if (word.advance)
      move_switch(grant.pe, grant.slot, SwitchCommand::advance, now);
    if (queue.filtered && !word.control) {
      FilterState& f = filter_of(i);
      f.count = f.count + 1 == f.filter.period ? 0 : f.count + 1;
    }
  }
}

bool FabricBlock::drop_waiting(std::uint32_t pe, Color color) {
  const int slot = color_slot_[color];
  if (slot == unbound) return false;
  if (queues_[at(pe, slot)].arrived > 0) {
    pop_router(pe, slot, routers_[pe], queues_[at(pe, slot)], 0);
    return true;
  }
  const Crossed crossed = crossed_into(pe, color);
  if (crossed.words) crossed.words->erase(crossed.word);
  return crossed.words != nullptr;
}

}  // namespace wafersim::fabric
