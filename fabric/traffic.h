#pragma once
// Synthetic traffic on the XY network: how far from theory is the fabric, and how fast is the simulator.
//
// In every cycle of warm-up and measurement each node gives birth to a one-flit packet with probability `load` (Bernoulli); it waits in the
// node's unbounded source queue, which puts one flit a cycle onto the ramp as credits allow. Then births stop and the network drains until
// every packet has been delivered. Latency is counted from birth to the cycle in which the destination's core has the flit.
//
// Errors of category config: numbers outside the limits below, a measurement without a packet, source queues beyond `max_waiting_packets`.
// Asserted: nothing dropped, every packet at its own destination, sum of the packets' hops = router-to-router moves.

#include <cstdint>

#include "fabric/spec.h"
#include "fabric/traffic_pattern.h"

namespace wafersim::fabric {

struct TrafficSpec {
  TrafficPattern pattern = TrafficPattern::uniform;
  double load = 0.05;                     // flits a node and cycle, min_load..1
  std::int64_t warmup_cycles = 1'000;     // [A] 0..max_cycles
  std::int64_t measured_cycles = 10'000;  // [A] 1..max_cycles
  std::uint64_t seed = 1;
  double hotspot_share = 0.1;  // of the packets, 0..1 [A]

  static constexpr double min_load = 1e-9;
  static constexpr std::int64_t max_cycles = 1'000'000'000'000;
  static constexpr std::uint32_t max_waiting_packets = 1U << 27;  // 3 GB of host memory
};

struct TrafficStatistics {
  std::uint64_t cycles = 0;       // simulated: warm-up, measurement and drain
  std::uint64_t injected = 0;     // packets born in all phases
  std::uint64_t delivered = 0;    // packets
  std::uint64_t measured = 0;     // packets born during the measurement: the latencies are theirs
  std::uint64_t flit_hops = 0;    // router-to-router moves in all phases
  double mean_hops = 0;           // of all delivered packets
  double mean_latency = 0;        // cycles
  std::uint64_t p50_latency = 0;  // cycles; nearest rank
  std::uint64_t p95_latency = 0;  // cycles
  std::uint64_t p99_latency = 0;  // cycles
  double offered = 0;             // flits a node and cycle born during the measurement
  double accepted = 0;            // flits a node and cycle that reached a core during the measurement

  bool operator==(const TrafficStatistics&) const = default;
};

TrafficStatistics run_traffic(const FabricSpec& fabric, const TrafficSpec& traffic);

}  // namespace wafersim::fabric
