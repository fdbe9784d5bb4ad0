#pragma once
// The routers of a rectangle of PEs as arrays, and the queues between each router and its core. Pure state: the cycle is passed in.
//
// A cycle has two phases over all blocks of a mesh, with a barrier after each:
//   evaluate(now)  every router with a waiting wavelet picks, color by color in round-robin order, what crosses its links this cycle.
//                  It only reads the queues of its neighbours, so the order of routers and blocks does not matter.
//   commit(now)    granted wavelets leave their queues and enter those of the neighbours.
// A color has one queue a router, shared by its inputs (a legal program has one active input at a time; two arrivals for one cycle are an
// error). A multicast moves when all its outputs can take it. A link direction carries one wavelet a cycle over all colors.
// Routers sleep while empty or while everything in them waits for room; whoever makes room wakes them.

#include <array>
#include <cstdint>
#include <vector>

#include "fabric/geometry.h"
#include "fabric/route.h"
#include "fabric/spec.h"
#include "fabric/wavelet.h"

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
    std::uint64_t dropped_by_filter = 0;
  };

  FabricBlock(const FabricSpec& spec, const RouteMap& routes, const Rectangle& place, const std::array<int, input_queues>& input_queue_words,
              int deepest_output_queue);

  const Rectangle& place() const { return place_; }
  int size() const { return place_.width * place_.height; }
  Coord coord(std::uint32_t pe) const { return {place_.x + static_cast<int>(pe) % place_.width, place_.y + static_cast<int>(pe) / place_.width}; }
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
  // An input queue takes one color at a time; its wavelets wait in the router while no queue is bound to it. Queues must be empty to change.
  void bind_input(std::uint32_t pe, int queue, Color color);
  void unbind_input(std::uint32_t pe, int queue);
  // The oldest wavelet of an input queue that has come up the ramp by `now`; null when there is none.
  struct Arrived {
    std::uint32_t payload;
    bool control;
  };
  bool peek(std::uint32_t pe, int queue, Cycle now, Arrived* out) const;
  void pop(std::uint32_t pe, int queue);
  // Room for one more wavelet on its way from the core to the router, in an output queue of `queue_words` words.
  bool can_send(std::uint32_t pe, Color color, int queue_words) const;
  void send(std::uint32_t pe, Color color, const Wavelet& wavelet, Cycle now);
  // Asks for a wake when a wavelet of `color` leaves the router of `pe`.
  void wake_on_room(std::uint32_t pe, Color color) { wants_room_[pe] |= 1u << color_slot_[color]; }

  // --- For reports ------------------------------------------------------------------------------------------------------------
  const Counters& counters() const { return counters_; }
  int waiting_in_router(std::uint32_t pe, Color color) const;
  int waiting_in_input(std::uint32_t pe, int queue) const { return input_count_[pe * input_queues + queue]; }
  int bound_queue(std::uint32_t pe, Color color) const;
  Color bound_color(std::uint32_t pe, int queue) const;  // of a bound input queue
  RoutePosition current_route(std::uint32_t pe, Color color) const;
  // Test hooks for fault injection: change the head-most waiting wavelet of (pe, color); false when there is none.
  bool drop_waiting(std::uint32_t pe, Color color);
  bool flip_waiting(std::uint32_t pe, Color color, std::uint32_t bits);

 private:
  void require_empty_input(std::uint32_t pe, int queue) const;
  struct Entry {
    std::uint32_t payload;
    std::uint32_t stamp;  // bit 31 control, bit 30 advance, bits 0-29 the cycle from which it may move
  };
  struct Grant {
    std::uint32_t pe;
    std::uint8_t slot;
    DirectionMask out;
  };
  struct FilterState {
    CounterFilter filter;
    std::uint32_t count = 0;
  };

  std::size_t at(std::uint32_t pe, int slot) const { return static_cast<std::size_t>(pe) * slots_ + slot; }
  bool ready(std::uint32_t stamp, Cycle now) const;
  bool has_room(std::uint32_t pe, int slot, DirectionMask out) const;
  bool link_room(std::uint32_t pe, int slot, Direction d) const;
  bool accepts(std::uint32_t pe, int slot, Direction from) const;
  DirectionMask outputs(std::uint32_t pe, int slot, const Entry& head) const;
  void push(std::uint32_t pe, int slot, Entry entry);
  void pop_router(std::uint32_t pe, int slot, Cycle now);
  void deliver(std::uint32_t pe, int slot, const Entry& entry, Direction d, Cycle now);
  void deliver_to_core(std::uint32_t pe, int slot, const Entry& entry, Cycle now);
  void move_switch(std::uint32_t pe, int slot, SwitchCommand command);
  void wake_upstream(std::uint32_t pe, DirectionMask inputs);
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

  std::vector<Entry> words_;  // [(pe, slot)][capacity_]
  std::vector<std::uint8_t> head_, count_;
  std::vector<RoutePosition> route_;   // current position
  std::vector<std::uint8_t> position_, route_index_;
  std::vector<Route> routes_;          // distinct
  std::vector<std::int32_t> filter_;   // [(pe, slot)] index into filters_ or -1; empty when there are none
  std::vector<FilterState> filters_;
  std::vector<std::uint32_t> pending_;  // [pe] slots with wavelets
  std::vector<std::uint8_t> turn_;      // [pe] round-robin: the slot after the last served
  std::vector<std::uint64_t> active_;   // bit a PE
  std::uint64_t waiting_ = 0;

  std::vector<Entry> input_words_;  // [(pe, queue)][input_capacity_]
  std::vector<std::uint8_t> input_head_, input_count_;
  std::vector<std::uint8_t> queue_of_;  // [(pe, slot)] input queue or unbound
  std::vector<std::uint8_t> slot_of_queue_;  // [(pe, queue)] slot or unbound
  std::vector<std::uint32_t> wants_room_;

  std::array<FabricBlock*, 4> neighbour_{};
  std::array<std::vector<std::uint8_t>, 4> edge_room_;
  std::array<std::vector<Crossing>, 4> crossing_;
  std::array<std::vector<std::uint16_t>, 4> wake_across_;  // routers of the neighbour to wake, by place along the side
  std::vector<Grant> grants_;
  std::vector<Wake> wakes_;
  Counters counters_;
};

}  // namespace wafersim::fabric
