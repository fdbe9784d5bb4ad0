#pragma once
// The routers of a rectangle of PEs as arrays, and the queues between each router and its core. Pure state: the cycle is passed in.
//
// A block does its cycle in two steps:
//   evaluate(now)  every router with a waiting wavelet picks, color by color in round-robin order, what crosses its links this cycle.
//                  It only reads the queues of its neighbours, so the order of routers does not matter.
//   commit(now)    granted wavelets leave their queues and enter those of the neighbours.
// Blocks may do theirs in any order or at the same time, with one barrier after each cycle: what one tells another (wavelets that crossed,
// places that became free) is written to a border of this cycle and read in the next, and a block counts for itself how many places the
// queues behind its sides have. Both end in the same state as one block over both would be in, because wavelets take at least a cycle.
// A color has one queue a router, in order of arrival. Where a position of its switch listens to several inputs, each has its own places in
// the queue, so that the places behind a side are always taken from that side alone. Two arrivals for one cycle are an error. A multicast
// moves when all its outputs can take it. A link direction carries one wavelet a cycle over all colors.
// Routers sleep while empty, while their wavelets are still on the way, and while everything in them waits for room: whoever makes room
// for a color unblocks it.

#include <array>
#include <cstdint>
#include <vector>

#include "fabric/geometry.h"
#include "fabric/queue_store.h"
#include "fabric/route.h"
#include "fabric/spec.h"
#include "fabric/wavelet.h"
#include "sim/aligned_vector.h"

namespace wafersim::fabric {

class FabricBlock {
 public:
  static constexpr int input_queues = 8;  // between a router and its core
  static constexpr std::uint8_t unbound = RouterQueue::unbound;

  // A wavelet that left the block over one of its sides in a cycle. `place` counts PEs along the side.
  struct Crossing {
    std::uint16_t place;
    Color color;
    Wavelet wavelet;
    template <class Archive>
    void serialize(Archive& archive) {
      archive(place, color, wavelet);
    }
  };
  // A core that may be able to go on at `cycle`.
  struct Wake {
    std::uint32_t pe;
    Cycle cycle;
  };

  FabricBlock(const FabricSpec& spec, const RouteMap& routes, const Rectangle& place,
              const std::array<int, input_queues>& input_queue_words, int deepest_output_queue);

  const Rectangle& place() const { return place_; }
  int size() const { return place_.width * place_.height; }
  Coord coord(std::uint32_t pe) const {
    return {place_.x + static_cast<int>(pe) % place_.width, place_.y + static_cast<int>(pe) / place_.width};
  }
  std::uint32_t index(Coord c) const { return static_cast<std::uint32_t>((c.y - place_.y) * place_.width + c.x - place_.x); }

  // The block on side d; null at the edge of the mesh. Blocks of a mesh are cut by one grid, so sides match in length, and are evaluated
  // in the same cycles.
  void set_neighbour(Direction d, FabricBlock* block) { neighbour_[d] = block; }
  // At the west and east edge of the mesh: whether the edge port at `place` along the side takes a wavelet (set before evaluate; none does
  // at first). A router that waits for it wakes.
  void set_edge_room(Direction d, std::uint16_t place, bool room);

  void evaluate(Cycle now);
  void commit(Cycle now);
  // True when some router has something to try in the next cycle.
  bool awake() const;
  bool idle() const;  // no wavelet in any router or on its way to a neighbour
  const std::vector<Crossing>& crossings(Direction d) const { return border_[parity_][d].words; }  // of the last cycle
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
    const InputQueue& q = routers_[pe].input[queue];
    if (q.count == 0) return false;
    const InputWord& word = input_words_[input_at(pe, queue) + q.head];
    if (!ready(word.stamp, now)) return false;
    *out = {word.payload, (word.stamp & control_bit) != 0};
    return true;
  }
  void pop(std::uint32_t pe, int queue) {
    InputQueue& q = routers_[pe].input[queue];
    if (q.count >= input_queue_words_[static_cast<std::size_t>(queue)] + spec_.ramp_cycles) unblock(pe, q.slot);
    q.head = static_cast<std::uint8_t>((q.head + 1u) & ((1u << input_capacity_log2_) - 1));
    --q.count;
  }
  // Room for one more wavelet on its way from the core to the router, in an output queue of `queue_words` words.
  bool can_send(std::uint32_t pe, Color color, int queue_words) const {
    const RouterQueue& q = queues_[at(pe, color_slot_[color])];
    return held(q, ramp) < queue_words + spec_.ramp_cycles && (q.in & mask(ramp)) != 0;
  }
  void send(std::uint32_t pe, Color color, const Wavelet& wavelet, Cycle now);
  // A core that can do nothing says so, and is woken when the next wavelet arrives. Returns the arrival of the first one that is already on
  // its way up the ramp; the largest cycle when there is none.
  Cycle core_sleeps(std::uint32_t pe, Cycle now);
  void prefetch_inputs(std::uint32_t pe) const {  // of a core that is about to look at its queues
    __builtin_prefetch(&routers_[pe]);
    __builtin_prefetch(&input_words_[input_at(pe, 0)]);
    __builtin_prefetch(&input_words_[input_at(pe, 1)]);
  }
  void core_awake(std::uint32_t pe) { routers_[pe].core_sleeps = false; }
  // Asks for a wake when a wavelet of `color` leaves the router of `pe`.
  void wake_on_room(std::uint32_t pe, Color color) { routers_[pe].wants_room |= 1u << color_slot_[color]; }

  // --- For reports ------------------------------------------------------------------------------------------------------------
  // Since the start: wavelets that the router of `pe` sent to d; wavelets over links between PEs.
  std::uint64_t flits(std::uint32_t pe, Direction d) const;
  std::uint64_t hops() const { return hops_; }
  int waiting_in_router(std::uint32_t pe, Color color) const;
  int waiting_in_input(std::uint32_t pe, int queue) const { return routers_[pe].input[queue].count; }
  int bound_queue(std::uint32_t pe, Color color) const;
  Color bound_color(std::uint32_t pe, int queue) const;  // of a bound input queue
  RoutePosition current_route(std::uint32_t pe, Color color) const;
  // Test hooks for fault injection: change the first wavelet of (pe, color); false when none has arrived.
  bool drop_waiting(std::uint32_t pe, Color color);
  bool flip_waiting(std::uint32_t pe, Color color, std::uint32_t bits);

  // Saves or restores what a new block does not know.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(queues_, routers_, input_words_, active_, flit_wraps_, hops_, later_, later_count_, evaluated_, waiting_, edge_room_, room_,
            border_, parity_);
    for (FilterState& filter : filters_) archive(filter.count);
  }

 private:
  static constexpr std::uint32_t control_bit = 1u << 31, cycle_bits = control_bit - 1;
  struct InputWord {
    std::uint32_t payload;
    std::uint32_t stamp;  // bit 31 control, bits 0-30 the cycle from which the core sees it
    template <class Archive>
    void serialize(Archive& archive) {
      archive(payload, stamp);
    }
  };
  struct InputQueue {
    std::uint8_t head = 0, count = 0;
    std::uint8_t slot = unbound;
    template <class Archive>
    void serialize(Archive& archive) {
      archive(head, count, slot);
    }
  };
  // All of a router but its queues, in one cache line.
  struct alignas(64) Router {
    std::uint32_t pending = 0;     // slots with wavelets that have arrived
    std::uint32_t blocked = 0;     // slots whose first wavelet found no room, until somebody makes some
    std::uint32_t wants_room = 0;  // slots of which the core waits for room
    std::array<std::uint32_t, directions> flits{};
    std::array<InputQueue, input_queues> input{};
    std::uint8_t turn = 0;     // round-robin: the slot after the last served
    DirectionMask border = 0;  // sides on which the neighbour is outside the block
    bool core_sleeps = true;
    template <class Archive>
    void serialize(Archive& archive) {
      archive(pending, blocked, wants_room, flits, input, turn, core_sleeps);
    }
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
  // How many wavelets a queue takes from a neighbour, without those that cross in the same cycle.
  struct Room {
    std::uint16_t place;
    std::int16_t words;
    std::uint8_t slot;
    bool again;  // there may have been none
    template <class Archive>
    void serialize(Archive& archive) {
      archive(place, words, slot, again);
    }
  };
  // What a cycle tells the neighbour on one side.
  struct alignas(64) Border {
    std::vector<Crossing> words;
    std::vector<Room> rooms;  // that changed; the last one of a queue holds
    bool room_again = false;  // for some
    template <class Archive>
    void serialize(Archive& archive) {
      archive(words, rooms, room_again);
    }
  };
  struct Arrival {
    std::uint32_t pe;
    std::uint8_t slot;
    template <class Archive>
    void serialize(Archive& archive) {
      archive(pe, slot);
    }
  };

  std::size_t at(std::uint32_t pe, int slot) const { return pe * slots_ + static_cast<unsigned>(slot); }
  std::size_t input_at(std::uint32_t pe, int queue) const {
    return (static_cast<std::size_t>(pe) * input_queues + static_cast<std::size_t>(queue)) << input_capacity_log2_;
  }
  static bool ready(std::uint32_t stamp, Cycle now) { return ((static_cast<std::uint32_t>(now) - stamp) & cycle_bits) < (1u << 30); }
  enum class Verdict { blocked, contended, last, more };  // the last two crossed; `more` have arrived behind it
  void evaluate_router(std::uint32_t pe);
  void cross(std::uint32_t pe, int slot, DirectionMask out, const RouterWord& word);
  void arrive(std::uint32_t pe, int slot, RouterQueue& queue);
  [[noreturn]] void refuse_two_inputs(std::uint32_t pe, int slot, Cycle arrival) const;
  [[noreturn]] void refuse_no_route(std::uint32_t pe, int slot) const;
  Verdict consider(std::uint32_t pe, int slot, Router& router, DirectionMask& claimed);
  void prefetch_queues(std::uint32_t pe) const;
  void prefetch_targets(const Grant& grant) const;
  bool has_room(std::uint32_t pe, int slot, const Router& router, const RouterQueue& queue, DirectionMask out) const;
  bool room_outside(std::uint32_t pe, int slot, Direction d) const;
  bool accepts(std::uint32_t pe, int slot, Direction from) const {
    const RouterQueue& q = queues_[at(pe, slot)];
    return held(q, from) < spec_.router_queue_words && (q.in & mask(from)) != 0;
  }
  // Places of input d that are taken.
  int held(const RouterQueue& queue, Direction d) const { return !queue.shared ? queue.count : queues_.count_from(queue, d); }
  DirectionMask outputs(std::size_t queue, const RouterWord& head);
  FilterState& filter_of(std::size_t queue);
  void push(std::uint32_t pe, int slot, RouterWord word, Direction from, Cycle now, int delay);
  void push_shared(std::uint32_t pe, int slot, const RouterWord& word, Direction from, Cycle now, int delay);
  void pop_router(std::uint32_t pe, int slot, Router& router, RouterQueue& queue, Cycle now);
  void deliver(std::uint32_t pe, int slot, Router& router, const RouterWord& word, Direction d, Cycle now);
  void deliver_to_core(std::uint32_t pe, Router& router, int queue, const RouterWord& word, Cycle now);
  void count_flit(std::uint32_t pe, Router& router, Direction d) {
    if (++router.flits[d] == 0) ++flit_wraps_[pe * directions + d];
  }
  void move_switch(std::uint32_t pe, int slot, SwitchCommand command, Cycle now);
  void unblock(std::uint32_t pe, int slot) {
    routers_[pe].blocked &= ~(1u << slot);
    activate(pe);
  }
  void unblock_upstream(std::uint32_t pe, int slot, DirectionMask inputs);
  void tell_room(std::uint32_t pe, int slot, unsigned sides, bool again);
  void take_borders();
  struct Crossed {
    std::vector<Crossing>* words = nullptr;  // null: none has
    std::vector<Crossing>::iterator word{};
  };
  Crossed crossed_into(std::uint32_t pe, Color color);
  std::int16_t& room_behind(Direction d, std::uint16_t place, int slot) { return room_[d][place * slots_ + static_cast<unsigned>(slot)]; }
  void require_empty_input(std::uint32_t pe, int queue) const;
  void activate(std::uint32_t pe) { active_[pe >> 6] |= 1ull << (pe & 63); }
  bool leaves(std::uint32_t pe, Direction d) const {
    return (routers_[pe].border & mask(d)) != 0;
  }  // its neighbour at d is outside the block
  std::uint32_t beside(std::uint32_t pe, Direction d) const { return pe + static_cast<std::uint32_t>(step_[d]); }
  std::uint16_t along(std::uint32_t pe, Direction d) const;              // place of a border PE along side d
  std::uint32_t border_pe(Direction d, std::uint16_t along_side) const;  // and back

  FabricSpec spec_;
  Rectangle place_;
  std::array<std::int32_t, 4> step_{};  // from a PE to its neighbour inside the block
  std::vector<Color> slot_color_;
  std::size_t slots_;  // colors in use
  std::array<std::uint8_t, RouteMap::max_colors> color_slot_{};
  std::array<int, input_queues> input_queue_words_;
  int input_capacity_log2_;

  QueueStore queues_;                          // [(pe, slot)]
  sim::AlignedVector<Router> routers_;         // [pe]
  sim::AlignedVector<InputWord> input_words_;  // [(pe, queue)][1 << input_capacity_log2_]
  std::vector<Route> routes_;                  // distinct
  std::vector<FilterState> filters_;           // by queue
  std::vector<std::uint64_t> active_;          // bit a PE
  std::vector<std::uint32_t> flit_wraps_;      // [pe * directions + d] overflows of Router::flits
  std::uint64_t hops_ = 0;
  static constexpr std::size_t later_slots = 64;
  std::array<std::vector<Arrival>, later_slots> later_;  // [cycle mod later_slots] queues whose next wavelet may move from then on
  std::size_t later_count_ = 0;
  Cycle evaluated_ = ~Cycle{0};  // the last cycle that was evaluated: what comes after it in the same cycle is seen by the next
  std::uint64_t waiting_ = 0;

  std::array<FabricBlock*, 4> neighbour_{};
  std::array<std::vector<std::uint8_t>, 4> edge_room_;
  std::array<std::vector<std::int16_t>, 4> room_;  // [(place, slot)] of the queues behind a side: wavelets that they take
  std::array<std::array<Border, 4>, 2> border_;    // [parity of the cycle][side]
  unsigned parity_ = 0;                            // of the last cycle that was evaluated
  std::vector<std::uint32_t> visited_;             // routers of this cycle
  std::vector<Grant> grants_;
  std::vector<Wake> wakes_;
};

}  // namespace wafersim::fabric
