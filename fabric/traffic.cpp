#include "fabric/traffic.h"

#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <vector>

#include "fabric/xy_network.h"
#include "sim/error.h"

namespace wafersim::fabric {
namespace {

// Failures before the next success of a sequence of trials with success probability p: P(gap >= k) = (1 - p)^k. The trials are all nodes of
// a cycle, then all nodes of the next, so one drawing serves a packet and not a node and cycle. Only multiplications: the same on every
// host.
class Gaps {
 public:
  explicit Gaps(double probability) {
    double tail = 1;
    for (double& entry : tails_) entry = tail *= 1 - probability;
  }
  std::uint64_t next(TrafficRandom& random) const {
    std::uint64_t gap = 0;
    for (;;) {
      const double u = random.fraction();
      if (u >= tails_.back()) {
        std::size_t k = 0;  // first entry that is not above u
        for (std::size_t half = tails_.size() / 2; half > 0; half /= 2) k += u < tails_[k + half - 1] ? half : 0;
        return gap + k;
      }
      gap += tails_.size();  // no success among these; the rest is as if nothing had been tried
    }
  }

 private:
  std::array<double, 64> tails_{};  // [k]: probability of k + 1 failures in a row
};

// Latencies of whole cycles, counted one by one.
class Histogram {
 public:
  void add(std::uint64_t value) {
    if (value >= counts_.size()) counts_.resize(value * 3 / 2 + 64);
    ++counts_[value];
    ++total_;
    sum_ += value;
  }
  std::uint64_t total() const { return total_; }
  double mean() const { return static_cast<double>(sum_) / static_cast<double>(total_); }
  // The smallest value that is not below `percent` of all.
  std::uint64_t percentile(std::uint64_t percent) const {
    std::uint64_t below = 0;
    std::uint64_t value = 0;
    while ((below += counts_[value]) * 100 < total_ * percent) ++value;
    return value;
  }

 private:
  std::vector<std::uint64_t> counts_;
  std::uint64_t total_ = 0;
  std::uint64_t sum_ = 0;
};

class TrafficRun {
 public:
  TrafficRun(const FabricSpec& fabric, const TrafficSpec& spec)
      : spec_(spec),
        width_(static_cast<std::uint32_t>(fabric.width)),
        network_(fabric),
        destinations_(spec.pattern, fabric.width, fabric.height, spec.hotspot_share),
        gaps_(spec.load),
        random_(spec.seed),
        first_waiting_(network_.routers(), none),
        last_waiting_(network_.routers(), none) {}

  TrafficStatistics run() {
    const std::uint64_t stop = static_cast<std::uint64_t>(spec_.warmup_cycles) + static_cast<std::uint64_t>(spec_.measured_cycles);
    std::uint64_t next_node = gaps_.next(random_);  // counted from node 0 of this cycle
    while (network_.cycle() < stop) {
      feed_ramps();
      for (; next_node < network_.routers(); next_node += 1 + gaps_.next(random_)) give_birth(static_cast<std::uint32_t>(next_node));
      next_node -= network_.routers();
      step();
    }
    while (network_.in_flight() > 0 || !senders_.empty()) {
      feed_ramps();
      step();
    }
    return statistics();
  }

 private:
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  struct Packet {
    std::uint64_t birth;  // cycle
    std::uint32_t source;
    std::uint32_t destination;
    std::uint32_t next;  // behind it in the source queue, or in the list of free places
  };

  bool measuring(std::uint64_t cycle) const {
    const auto start = static_cast<std::uint64_t>(spec_.warmup_cycles);
    return cycle >= start && cycle - start < static_cast<std::uint64_t>(spec_.measured_cycles);
  }

  void give_birth(std::uint32_t node) {
    const std::uint32_t destination = destinations_.of(node, random_);
    if (destination == node) return;
    const std::uint32_t place = take_place();
    packets_[place] = {network_.cycle(), node, destination, none};
    ++result_.injected;
    result_.measured += measuring(network_.cycle()) ? 1 : 0;
    if (first_waiting_[node] == none && network_.can_inject(node)) {
      network_.inject(node, destination, place);
    } else if (first_waiting_[node] == none) {
      first_waiting_[node] = last_waiting_[node] = place;
      senders_.push_back(node);
    } else {
      packets_[last_waiting_[node]].next = place;
      last_waiting_[node] = place;
    }
  }

  // Every node with packets waiting puts one on its ramp if it can.
  void feed_ramps() {
    std::size_t kept = 0;
    for (const std::uint32_t node : senders_) {
      if (network_.can_inject(node)) {
        const std::uint32_t place = first_waiting_[node];
        network_.inject(node, packets_[place].destination, place);
        first_waiting_[node] = packets_[place].next;
      }
      if (first_waiting_[node] != none) senders_[kept++] = node;
    }
    senders_.resize(kept);
  }

  void step() {
    for (const XyNetwork::Delivery& delivery : network_.step()) {
      Packet& packet = packets_[delivery.payload];
      sim::require_invariant(delivery.node == packet.destination, "a packet leaves the fabric at its destination");
      ++result_.delivered;
      packet_hops_ += hops(packet.source, delivery.node);
      if (measuring(packet.birth)) latencies_.add(delivery.cycle - packet.birth);
      accepted_ += measuring(delivery.cycle) ? 1 : 0;
      packet.next = free_;
      free_ = delivery.payload;
    }
  }

  std::uint32_t take_place() {
    if (free_ != none) {
      const std::uint32_t place = free_;
      free_ = packets_[place].next;
      return place;
    }
    if (packets_.size() == TrafficSpec::max_waiting_packets) {
      throw sim::Error(sim::ErrorCategory::config,
                       fmt::format("traffic load {} is far beyond saturation: {} packets wait at cycle {}; lower the load or the cycles",
                                   spec_.load, packets_.size(), network_.cycle()));
    }
    packets_.emplace_back();
    return static_cast<std::uint32_t>(packets_.size() - 1);
  }

  std::uint64_t hops(std::uint32_t from, std::uint32_t to) const {
    const auto distance = [](std::uint32_t a, std::uint32_t b) { return a > b ? a - b : b - a; };
    return distance(from % width_, to % width_) + distance(from / width_, to / width_);
  }

  TrafficStatistics statistics() {
    sim::require_invariant(result_.injected == result_.delivered, "every packet is delivered");
    sim::require_invariant(packet_hops_ == network_.flit_hops(), "sum of the packets' hops = router-to-router moves");
    sim::require_invariant(latencies_.total() == result_.measured, "every measured packet has a latency");
    if (result_.measured == 0) {
      throw sim::Error(sim::ErrorCategory::config,
                       fmt::format("traffic: no packet was born in {} cycles at load {}: raise either", spec_.measured_cycles, spec_.load));
    }
    const double node_cycles = static_cast<double>(network_.routers()) * static_cast<double>(spec_.measured_cycles);
    result_.cycles = network_.cycle();
    result_.flit_hops = network_.flit_hops();
    result_.mean_hops = static_cast<double>(packet_hops_) / static_cast<double>(result_.delivered);
    result_.mean_latency = latencies_.mean();
    result_.p50_latency = latencies_.percentile(50);
    result_.p95_latency = latencies_.percentile(95);
    result_.p99_latency = latencies_.percentile(99);
    result_.offered = static_cast<double>(result_.measured) / node_cycles;
    result_.accepted = static_cast<double>(accepted_) / node_cycles;
    return result_;
  }

  TrafficSpec spec_;
  std::uint32_t width_;
  XyNetwork network_;
  Destinations destinations_;
  Gaps gaps_;
  TrafficRandom random_;
  std::vector<Packet> packets_;
  std::uint32_t free_ = none;                 // first free place of packets_
  std::vector<std::uint32_t> first_waiting_;  // by node: its source queue
  std::vector<std::uint32_t> last_waiting_;
  std::vector<std::uint32_t> senders_;  // nodes whose source queue is not empty
  Histogram latencies_;
  std::uint64_t packet_hops_ = 0;
  std::uint64_t accepted_ = 0;
  TrafficStatistics result_;
};

void check(const TrafficSpec& spec) {
  const auto refuse = [](const std::string& message) { throw sim::Error(sim::ErrorCategory::config, message); };
  if (!(spec.load >= TrafficSpec::min_load && spec.load <= 1)) {
    refuse(fmt::format("traffic load {} flits a node and cycle is outside {}..1", spec.load, TrafficSpec::min_load));
  }
  if (spec.measured_cycles < 1 || spec.measured_cycles > TrafficSpec::max_cycles) {
    refuse(fmt::format("traffic cycles {} is outside 1..{}", spec.measured_cycles, TrafficSpec::max_cycles));
  }
  if (spec.warmup_cycles < 0 || spec.warmup_cycles > TrafficSpec::max_cycles) {
    refuse(fmt::format("traffic warm-up cycles {} is outside 0..{}", spec.warmup_cycles, TrafficSpec::max_cycles));
  }
}

}  // namespace

TrafficStatistics run_traffic(const FabricSpec& fabric, const TrafficSpec& traffic) {
  check(traffic);
  return TrafficRun(fabric, traffic).run();
}

}  // namespace wafersim::fabric
