#pragma once
// The routers of a rectangle of PEs as arrays, and the queues between each router and its core. Pure state: the cycle is passed in.
//
// A cycle has two phases over all blocks of a mesh, with a barrier after each:
//   evaluate(now)  every router with a waiting wavelet picks, color by color in round-robin order, what crosses its links this cycle.
//                  It only reads the queues of its neighbours, so the order of routers and blocks does not matter.
//   commit(now)    granted wavelets leave their queues and enter those of the neighbours.
// A color has one queue a router, shared by its inputs (a legal program has one active input at a time; two arrivals for one cycle are an
// error). A multicast moves when all its outputs can take it. A link direction carries one wavelet a cycle over all colors.
// Routers sleep while empty, while their wavelets are still on the way, and while everything in them waits for room: whoever makes room
// for a color unblocks it.

#include <array>
#include <cstdint>
#include <vector>

#include "fabric/geometry.h"
#include "fabric/route.h"
#include "fabric/spec.h"
#include "fabric/wavelet.h"
#include "sim/aligned_vector.h"

namespace wafersim::fabric {

class FabricBlock {
 public:
  static constexpr int input_queues = 8;  // between a router and its core
  static constexpr std::uint8_t unbound = 255;

  // A wavelet that left the block over one of its sides this cycle. `place` counts PEs along the side.
  struct Crossing {
    std::uint16_t place;
    Color color;
    Wavelet wavelet;
  };
  // A core that may be able to go on at `cycle`.
  struct Wake {
    std::uint32_t pe;
    Cycle cycle;
  };
  struct Counters {
    std::vector<std::uint64_t> flits;  // [pe * directions + d] wavelets sent to d
    std::uint64_t hops = 0;            // over links between PEs
  };

  FabricBlock(const FabricSpec& spec, const RouteMap& routes, const Rectangle& place,
              const std::array<int, input_queues>& input_queue_words, int deepest_output_queue);

  const Rectangle& place() const { return place_; }
  int size() const { return place_.width * place_.height; }
  Coord coord(std::uint32_t pe) const {
    return {place_.x + static_cast<int>(pe) % place_.width, place_.y + static_cast<int>(pe) / place_.width};
  }
  std::uint32_t index(Coord c) const { return static_cast<std::uint32_t>((c.y - place_.y) * place_.width + c.x - place_.x); }

  // The block on side d; null at the edge of the mesh. Blocks of a mesh are cut by one grid, so sides match in length.
  void set_neighbour(Direction d, FabricBlock* block) { neighbour_[d] = block; }
  // At the west and east edge of the mesh: whether the edge port at `place` along the side takes a wavelet (set before evaluate; none does
  // at first). A router that waits for it wakes.
  void set_edge_room(Direction d, std::uint16_t place, bool room);

  void evaluate(Cycle now);
  void commit(Cycle now);
  // True when some router has something to try in the next cycle.
  bool awake() const;
  bool idle() const { return waiting_ == 0; }  // no wavelet in any router
  const std::vector<Crossing>& crossings(Direction d) const { return crossing_[d]; }
  std::vector<Wake>& wakes() { return wakes_; }

  // An edge port's wavelet enters the router of `pe` from side d; false when its queue is full or does not listen.
  bool enter(std::uint32_t pe, Direction d, Color color, const Wavelet& wavelet, Cycle now);

  // --- The core's side of the ramp -------------------------------------------------------------------------------------------
  // An input queue takes one color at a time; its wavelets wait in the router while no queue is bound to it. Queues must be empty to
  // change.
  void bind_input(std::uint32_t pe, int queue, Color color);
  void unbind_input(std::uint32_t pe, int queue);
  // The oldest wavelet of an input queue that has come up the ramp by `now`; null when there is none.
  struct Arrived {
    std::uint32_t payload;
    bool control;
  };
  bool peek(std::uint32_t pe, int queue, Cycle now, Arrived* out) const {
    const InputQueue& q = inputs_[pe * input_queues + static_cast<std::size_t>(queue)];
    if (q.count == 0) return false;
    const Entry& entry = input_words_[(pe * input_queues + static_cast<std::size_t>(queue)) * input_capacity_ + q.head];
    if (!ready(entry.stamp, now)) return false;
    *out = {entry.payload, (entry.stamp & control_bit) != 0};
    return true;
  }
  void pop(std::uint32_t pe, int queue) {
    InputQueue& q = inputs_[pe * input_queues + static_cast<std::size_t>(queue)];
    if (q.count >= input_queue_words_[static_cast<std::size_t>(queue)] + spec_.ramp_cycles) unblock(pe, q.slot);
    q.head = static_cast<std::uint8_t>((q.head + 1) & (input_capacity_ - 1));
    --q.count;
  }
  // Room for one more wavelet on its way from the core to the router, in an output queue of `queue_words` words.
  bool can_send(std::uint32_t pe, Color color, int queue_words) const {
    const Queue& q = queues_[at(pe, color_slot_[color])];
    return q.count < queue_words + spec_.ramp_cycles && (q.in & mask(ramp)) != 0;
  }
  void send(std::uint32_t pe, Color color, const Wavelet& wavelet, Cycle now);
  // A core that can do nothing says so, and is woken when the next wavelet arrives. Returns the arrival of the first one that is already on
  // its way up the ramp; the largest cycle when there is none.
  Cycle core_sleeps(std::uint32_t pe, Cycle now);
  void prefetch_inputs(std::uint32_t pe) const {  // of a core that is about to look at its queues
    __builtin_prefetch(&inputs_[pe * input_queues]);
    __builtin_prefetch(&input_words_[pe * input_queues * static_cast<std::size_t>(input_capacity_)]);
    __builtin_prefetch(&input_words_[(pe * input_queues + 1) * static_cast<std::size_t>(input_capacity_)]);
  }
  void core_awake(std::uint32_t pe) { core_sleeps_[pe] = 0; }
  // Asks for a wake when a wavelet of `color` leaves the router of `pe`.
  void wake_on_room(std::uint32_t pe, Color color) { wants_room_[pe] |= 1u << color_slot_[color]; }

  // --- For reports ------------------------------------------------------------------------------------------------------------
  const Counters& counters() const { return counters_; }
  int waiting_in_router(std::uint32_t pe, Color color) const;
  int waiting_in_input(std::uint32_t pe, int queue) const { return inputs_[pe * input_queues + static_cast<std::size_t>(queue)].count; }
  int bound_queue(std::uint32_t pe, Color color) const;
  Color bound_color(std::uint32_t pe, int queue) const;  // of a bound input queue
  RoutePosition current_route(std::uint32_t pe, Color color) const;
  // Test hooks for fault injection: change the head-most waiting wavelet of (pe, color); false when there is none.
  bool drop_waiting(std::uint32_t pe, Color color);
  bool flip_waiting(std::uint32_t pe, Color color, std::uint32_t bits);

 private:
  static constexpr std::uint32_t control_bit = 1u << 31, advance_bit = 1u << 30, cycle_bits = advance_bit - 1;
  struct Entry {
    std::uint32_t payload;
    std::uint32_t stamp;  // bit 31 control, bit 30 advance, bits 0-29 the cycle from which it may move
  };
  // A color's queue at a router with the switch position in force.
  struct Queue {
    std::uint8_t head = 0, count = 0;
    DirectionMask in = 0, out = 0;
    std::uint8_t position = 0;
    std::uint8_t route = 0;        // index in routes_
    std::uint8_t input = unbound;  // the core's queue for this color
    bool filtered = false;
  };
  struct InputQueue {
    std::uint8_t head = 0, count = 0;
    std::uint8_t slot = unbound;
  };
  struct Grant {
    std::uint32_t pe;
    std::uint8_t slot;
    DirectionMask out;
  };
  struct FilterState {
    std::size_t queue;  // index in queues_
    CounterFilter filter;
    std::uint32_t count = 0;
  };
  struct Unblocked {
    std::uint16_t place;
    std::uint8_t slot;
  };

  std::size_t at(std::uint32_t pe, int slot) const { return static_cast<std::size_t>(pe) * slots_ + slot; }
  static bool ready(std::uint32_t stamp, Cycle now) { return ((static_cast<std::uint32_t>(now) - stamp) & cycle_bits) < (1u << 29); }
  static std::uint32_t stamp(Cycle from, const Wavelet& w) {
    return (static_cast<std::uint32_t>(from) & cycle_bits) | (w.control ? control_bit : 0u) | (w.advance ? advance_bit : 0u);
  }
  enum class Verdict { on_its_way, blocked, contended, last, more };  // the last two crossed; `more` wait behind it
  void evaluate_router(std::uint32_t pe, Cycle now);
  Verdict consider(std::uint32_t pe, int slot, Cycle now, DirectionMask& claimed);
  void prefetch_queue(std::uint32_t pe) const;
  void prefetch_head(std::uint32_t pe) const;
  void prefetch_targets(const Grant& grant) const;
  bool has_room(std::uint32_t pe, int slot, const Queue& queue, DirectionMask out) const;
  bool link_room(std::uint32_t pe, int slot, Direction d) const;
  bool accepts(std::uint32_t pe, int slot, Direction from) const {
    const Queue& q = queues_[at(pe, slot)];
    return q.count < spec_.router_queue_words && (q.in & mask(from)) != 0;
  }
  DirectionMask outputs(std::size_t queue, const Entry& head) const;
  FilterState& filter_of(std::size_t queue) const;
  void push(std::uint32_t pe, int slot, Entry entry, Cycle now, int delay);
  void pop_router(std::uint32_t pe, int slot, Cycle now);
  void deliver(std::uint32_t pe, int slot, const Entry& entry, Direction d, Cycle now);
  void deliver_to_core(std::uint32_t pe, const Queue& queue, const Entry& entry, Cycle now);
  void move_switch(std::uint32_t pe, int slot, SwitchCommand command, Cycle now);
  void unblock(std::uint32_t pe, int slot) {
    blocked_[pe] &= ~(1u << slot);
    activate(pe);
  }
  void unblock_upstream(std::uint32_t pe, int slot, DirectionMask inputs);
  void require_empty_input(std::uint32_t pe, int queue) const;
  void activate(std::uint32_t pe) { active_[pe >> 6] |= 1ull << (pe & 63); }
  bool leaves(std::uint32_t pe, Direction d) const { return (border_[pe] & mask(d)) != 0; }  // its neighbour at d is outside the block
  std::uint32_t beside(std::uint32_t pe, Direction d) const { return pe + static_cast<std::uint32_t>(step_[d]); }
  std::uint16_t along(std::uint32_t pe, Direction d) const;              // place of a border PE along side d
  std::uint32_t border_pe(Direction d, std::uint16_t along_side) const;  // and back

  FabricSpec spec_;
  Rectangle place_;
  std::array<std::int32_t, 4> step_{};  // from a PE to its neighbour inside the block
  std::vector<DirectionMask> border_;
  int slots_ = 0;  // colors in use
  std::array<std::uint8_t, RouteMap::max_colors> color_slot_{};
  std::vector<Color> slot_color_;
  int capacity_ = 0;  // words stored for a router queue (a power of two)
  int input_capacity_ = 0;
  std::array<int, input_queues> input_queue_words_;

  sim::AlignedVector<Entry> words_;           // [(pe, slot)][capacity_]
  sim::AlignedVector<Queue> queues_;          // [(pe, slot)]
  std::vector<Route> routes_;                 // distinct
  mutable std::vector<FilterState> filters_;  // by queue
  std::vector<std::uint32_t> pending_;        // [pe] slots with wavelets
  std::vector<std::uint32_t> blocked_;        // [pe] slots whose first wavelet found no room, until somebody makes some
  std::vector<std::uint8_t> turn_;            // [pe] round-robin: the slot after the last served
  std::vector<std::uint64_t> active_;         // bit a PE
  static constexpr std::size_t later_slots = 64;
  std::array<std::vector<std::uint32_t>, later_slots> later_;  // [cycle mod later_slots] routers into which a wavelet comes then
  std::size_t later_count_ = 0;
  Cycle evaluated_ = ~Cycle{0};  // the last cycle that was evaluated: what comes after it in the same cycle is seen by the next
  std::uint64_t waiting_ = 0;

  sim::AlignedVector<Entry> input_words_;  // [(pe, queue)][input_capacity_]
  sim::AlignedVector<InputQueue> inputs_;  // [(pe, queue)]
  std::vector<std::uint32_t> wants_room_;
  std::vector<std::uint8_t> core_sleeps_;

  std::array<FabricBlock*, 4> neighbour_{};
  std::array<std::vector<std::uint8_t>, 4> edge_room_;
  std::array<std::vector<Crossing>, 4> crossing_;
  std::array<std::vector<Unblocked>, 4> unblocked_across_;  // queues of the neighbour that have room again
  std::vector<std::uint32_t> visited_;                      // routers of this cycle
  std::vector<Grant> grants_;
  std::vector<Wake> wakes_;
  Counters counters_;
};

}  // namespace wafersim::fabric
