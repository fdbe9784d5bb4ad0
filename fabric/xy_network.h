#pragma once
// A mesh of routers under the XY policy: one-flit packets, dimension-ordered (first along the row, then along the column). The lean path
// for synthetic traffic; colors, switches and multicast belong to the other policy.
//
// One cycle of a router: every output grants one of the inputs whose first flit wants it, round-robin (search starts after the input
// granted last), if the queue behind the output had a free slot when the cycle began. Evaluate, then commit: a grant depends only on the
// state at the start of the cycle, so no result depends on the order in which routers are visited. Input queues hold
// FabricSpec::router_queue_words flits a port; a slot freed in cycle n can be filled in cycle n + 1 (credits).
//
// Latency: a flit injected in cycle n competes in its router from cycle n + ramp_cycles, in the next one a cycle later, and reaches the
// core of its destination ramp_cycles after it has won that ramp. Alone on the mesh: hops + 2 ramp_cycles. A node is y * width + x, x
// counted from the west, y from the north.
//
// Errors: sim::Error of category config for a spec outside the limits below, unsupported for hop_cycles other than 1.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "fabric/spec.h"

namespace wafersim::fabric {

class XyNetwork {
 public:
  static constexpr int max_side = 4095;          // routers; a flit counts its remaining hops in 12 bits an axis
  static constexpr int max_routers = 1 << 22;    // 1 GB of host memory with queues of 4
  static constexpr int max_queue_words = 64;     // flits
  static constexpr int max_ramp_cycles = 1'000;  // cycles

  struct Delivery {
    std::uint32_t node;     // where it left the fabric
    std::uint32_t payload;  // as injected
    std::uint64_t cycle;    // in which the core has it
  };

  explicit XyNetwork(const FabricSpec& spec);

  // Whether `node` may inject in this cycle: its ramp has a credit and has not been used in this cycle.
  bool can_inject(std::uint32_t node) const { return ramp_used_[node] < depth_ && next_injection_[node] <= cycle_; }
  // REQUIRES can_inject(node); both nodes on the mesh. `payload` is the caller's and is handed back at delivery.
  void inject(std::uint32_t node, std::uint32_t destination, std::uint32_t payload);

  // Simulates one cycle; returns the flits that won their destination's ramp in it (valid until the next step).
  std::span<const Delivery> step();

  std::uint64_t cycle() const { return cycle_; }          // the next one to be simulated
  std::uint64_t flit_hops() const { return flit_hops_; }  // router-to-router moves so far
  std::uint64_t in_flight() const { return in_flight_; }  // injected, not yet granted the ramp at the destination
  std::uint32_t routers() const { return routers_; }

 private:
  // Remaining way and payload in 64 bits: x hops, y hops (12 bits each), westward, northward (1 bit each), payload (upper 32).
  using Flit = std::uint64_t;
  struct OnRamp {
    std::uint32_t node;
    Flit flit;
  };
  struct Queues;  // the hot arrays, as plain pointers

  void land_ramps();
  void evaluate();
  void commit();
  Queues queues();

  std::uint32_t width_;
  std::uint32_t routers_;
  std::uint32_t depth_;        // flits a queue
  std::uint32_t ramp_cycles_;  // each way

  // Inputs are numbered router * 5 + port, outputs router * 8 + port.
  std::vector<Flit> flits_;             // [slot][input]: the first flits of all queues lie together
  std::vector<std::uint8_t> lengths_;   // by input, flits
  std::vector<std::uint8_t> requests_;  // by output: bit p while the first flit of port p wants it, bit 5 while the queue behind it is full
  std::vector<std::uint8_t> turns_;     // by output: the port at which the next search for a winner starts
  std::vector<std::uint64_t> wanted_;   // a bit an output, set while a flit wants it: the active set
  std::vector<std::uint32_t> grants_;   // room for one an output: output << 3 | port of the winner
  std::size_t granted_ = 0;             // in this cycle
  std::vector<std::uint8_t> ramp_used_;        // by router: flits on the way up the ramp and in its queue
  std::vector<std::uint64_t> next_injection_;  // by node, cycle
  std::vector<std::vector<OnRamp>> ramps_;     // by arrival cycle modulo ramp_cycles + 1
  std::vector<Delivery> deliveries_;           // of this cycle
  std::uint64_t cycle_ = 0;
  std::uint64_t flit_hops_ = 0;
  std::uint64_t in_flight_ = 0;
};

}  // namespace wafersim::fabric
