// The XY network flit by flit: exact cycles, arbitration, back-pressure, and equality with a plain model of its contract.

#include "fabric/xy_network.h"

#include <cstdlib>
#include <deque>
#include <gtest/gtest.h>
#include <map>
#include <utility>
#include <vector>

#include "fabric/traffic_pattern.h"
#include "sim/error.h"

namespace wafersim::fabric {
namespace {

FabricSpec mesh(int width, int height, int queue_words = 4, int ramp_cycles = 2) {
  FabricSpec spec;
  spec.width = width;
  spec.height = height;
  spec.router_queue_words = queue_words;
  spec.ramp_cycles = ramp_cycles;
  return spec;
}

std::uint64_t hops(const FabricSpec& spec, int from, int to) {
  const int way = std::abs(from % spec.width - to % spec.width) + std::abs(from / spec.width - to / spec.width);
  return static_cast<std::uint64_t>(way);
}

// The contract in xy_network.h written down naively: queues of objects, absolute destinations. Routers and outputs are visited
// in descending order, so agreement also shows that the order of the sweep is of no consequence.
class PlainModel {
 public:
  explicit PlainModel(const FabricSpec& spec) : spec_(spec), routers_(static_cast<std::size_t>(spec.width * spec.height)) {}

  bool can_inject(int node) const {
    const Router& router = routers_[node];
    return router.ramp_used < spec_.router_queue_words && router.last_injection != cycle_;
  }
  void inject(int node, int destination, std::uint32_t payload) {
    ++routers_[node].ramp_used;
    routers_[node].last_injection = cycle_;
    routers_[node].going_up.push_back({destination, payload, cycle_ + spec_.ramp_cycles});
  }
  std::vector<XyNetwork::Delivery> step() {
    for (Router& router : routers_) {
      while (!router.going_up.empty() && router.going_up.front().ready == cycle_) {
        router.queues[4].push_back(router.going_up.front());
        router.going_up.pop_front();
      }
    }
    struct Move {
      int from, input, to, output;
    };
    std::vector<Move> moves;
    for (int node = static_cast<int>(routers_.size()) - 1; node >= 0; --node) {
      for (int output = 4; output >= 0; --output) {
        const int to = behind(node, output);
        if (output != 4 && (to < 0 || static_cast<int>(routers_[to].queues[output ^ 1].size()) == spec_.router_queue_words)) continue;
        for (int n = 0; n < 5; ++n) {
          const int input = (routers_[node].next[output] + n) % 5;
          const std::deque<Flit>& queue = routers_[node].queues[input];
          if (queue.empty() || route(node, queue.front().destination) != output) continue;
          moves.push_back({node, input, to, output});
          routers_[node].next[output] = (input + 1) % 5;
          break;
        }
      }
    }
    std::vector<XyNetwork::Delivery> delivered;
    for (const Move& move : moves) {
      const Flit flit = routers_[move.from].queues[move.input].front();
      routers_[move.from].queues[move.input].pop_front();
      if (move.input == 4) --routers_[move.from].ramp_used;
      if (move.output == 4) {
        delivered.push_back({static_cast<std::uint32_t>(move.from), flit.payload, cycle_ + spec_.ramp_cycles});
      } else {
        routers_[move.to].queues[move.output ^ 1].push_back(flit);
      }
    }
    ++cycle_;
    return delivered;
  }

 private:
  struct Flit {
    int destination;
    std::uint32_t payload;
    std::uint64_t ready;
  };
  struct Router {
    std::deque<Flit> queues[5];  // east, west, south, north, ramp
    int next[5] = {};
    std::deque<Flit> going_up;
    int ramp_used = 0;
    std::uint64_t last_injection = ~std::uint64_t{0};
  };

  int route(int node, int destination) const {
    const int dx = destination % spec_.width - node % spec_.width;
    const int dy = destination / spec_.width - node / spec_.width;
    if (dx != 0) return dx > 0 ? 0 : 1;
    if (dy != 0) return dy > 0 ? 2 : 3;
    return 4;
  }
  // The node behind an output, -1 beyond the edge.
  int behind(int node, int output) const {
    const int x = node % spec_.width + (output == 0) - (output == 1);
    const int y = node / spec_.width + (output == 2) - (output == 3);
    return x < 0 || y < 0 || x >= spec_.width || y >= spec_.height ? -1 : y * spec_.width + x;
  }

  FabricSpec spec_;
  std::vector<Router> routers_;
  std::uint64_t cycle_ = 0;
};

using Deliveries = std::map<std::uint32_t, std::pair<std::uint32_t, std::uint64_t>>;  // payload -> node, cycle

// The same random traffic, heavy enough to fill queues, through a network of either kind: births for `cycles` cycles, then a drain.
template <class Network>
Deliveries drive(Network& network, const FabricSpec& spec, double load, int cycles) {
  const auto nodes = static_cast<std::uint32_t>(spec.width * spec.height);
  TrafficRandom random(7);
  Deliveries deliveries;
  std::uint32_t injected = 0;
  for (int cycle = 0; cycle < cycles || deliveries.size() < injected; ++cycle) {
    for (std::uint32_t node = 0; cycle < cycles && node < nodes; ++node) {
      const bool willing = random.fraction() < load;
      const std::uint32_t destination = random.below(nodes);
      if (willing && network.can_inject(node)) network.inject(node, destination, injected++);
    }
    for (const XyNetwork::Delivery& delivery : network.step()) deliveries[delivery.payload] = {delivery.node, delivery.cycle};
    if (cycle > 100 * cycles) break;  // the network has stopped
  }
  EXPECT_EQ(deliveries.size(), injected);
  return deliveries;
}

TEST(XyNetwork, ASingleFlitTakesItsHopsAndTwoRamps) {
  for (const int ramp_cycles : {0, 1, 2, 7}) {
    const FabricSpec spec = mesh(5, 3, 4, ramp_cycles);
    for (int from = 0; from < 15; ++from) {
      for (int to = 0; to < 15; ++to) {
        XyNetwork network(spec);
        network.inject(from, to, 42);
        std::vector<XyNetwork::Delivery> seen;
        while (network.in_flight() > 0 && network.cycle() < 100) {
          for (const auto& delivery : network.step()) seen.push_back(delivery);
        }
        ASSERT_EQ(seen.size(), 1U) << from << " to " << to;
        EXPECT_EQ(seen[0].node, static_cast<std::uint32_t>(to));
        EXPECT_EQ(seen[0].payload, 42U);
        EXPECT_EQ(seen[0].cycle, hops(spec, from, to) + 2 * ramp_cycles) << from << " to " << to;
        EXPECT_EQ(network.flit_hops(), hops(spec, from, to));
      }
    }
  }
}

TEST(XyNetwork, CrossesTheLongestWayOfTheLargestSides) {
  for (const FabricSpec& spec : {mesh(XyNetwork::max_side, 2), mesh(2, XyNetwork::max_side)}) {
    const std::uint32_t last = spec.width * spec.height - 1;
    XyNetwork network(spec);
    network.inject(last, 0, 0xffffffff);
    std::uint64_t arrival = 0;
    while (network.in_flight() > 0 && network.cycle() < 5000) {
      for (const auto& delivery : network.step()) arrival = delivery.payload == 0xffffffff && delivery.node == 0 ? delivery.cycle : 0;
    }
    EXPECT_EQ(arrival, XyNetwork::max_side + 4U);
  }
}

TEST(XyNetwork, ALinkCarriesOneFlitACycle) {
  const FabricSpec spec = mesh(4, 1);
  XyNetwork network(spec);
  std::vector<std::uint64_t> cycles;
  for (int n = 0; n < 40; ++n) {
    ASSERT_TRUE(network.can_inject(0)) << "the ramp's credits return in time, cycle " << n;
    network.inject(0, 3, n);
    EXPECT_FALSE(network.can_inject(0)) << "one flit a cycle";
    for (const auto& delivery : network.step()) cycles.push_back(delivery.cycle);
  }
  while (network.in_flight() > 0 && network.cycle() < 100) {
    for (const auto& delivery : network.step()) cycles.push_back(delivery.cycle);
  }
  ASSERT_EQ(cycles.size(), 40U);
  for (std::size_t n = 0; n < cycles.size(); ++n) EXPECT_EQ(cycles[n], n + 3 + 4);
}

TEST(XyNetwork, AQueueOfOneWordPassesAFlitEveryTwoCycles) {
  XyNetwork network(mesh(4, 1, 1, 0));
  std::vector<std::uint64_t> cycles;
  for (std::uint32_t sent = 0; cycles.size() < 20 && network.cycle() < 100;) {
    if (network.can_inject(0)) network.inject(0, 3, sent++);
    for (const auto& delivery : network.step()) cycles.push_back(delivery.cycle);
  }
  ASSERT_EQ(cycles.size(), 20U);
  for (std::size_t n = 0; n < cycles.size(); ++n) EXPECT_EQ(cycles[n], 3 + 2 * n);
}

TEST(XyNetwork, InputsThatCompeteForAnOutputTakeTurns) {
  // Nodes 0, 1 and 2 of a row send to its end as fast as they can: in routers 1 and 2 the ramp competes with the west.
  XyNetwork network(mesh(5, 1));
  std::map<std::uint32_t, int> granted;
  for (int cycle = 0; cycle < 312; ++cycle) {
    for (const std::uint32_t source : {0U, 1U, 2U}) {
      if (network.can_inject(source)) network.inject(source, 4, source);
    }
    for (const auto& delivery : network.step()) {
      if (cycle >= 12) ++granted[delivery.payload];
    }
  }
  // Each alternates between the two: of 300 flits a half, a quarter, a quarter.
  EXPECT_EQ(granted[2], 150);
  EXPECT_EQ(granted[1], 75);
  EXPECT_EQ(granted[0], 75);
}

TEST(XyNetwork, EqualsAPlainModelThatSweepsInTheOppositeOrder) {
  const std::vector<FabricSpec> specs = {mesh(4, 4),      mesh(7, 3, 1), mesh(3, 9, 2, 0), mesh(5, 5, 3, 1),
                                         mesh(11, 11, 4), mesh(1, 6, 4), mesh(6, 1, 4),    mesh(9, 8, 7, 5)};
  for (const FabricSpec& spec : specs) {
    for (const double load : {0.02, 0.3, 1.0}) {
      XyNetwork network(spec);
      PlainModel model(spec);
      const Deliveries measured = drive(network, spec, load, 300);
      ASSERT_GT(measured.size(), 10U);
      EXPECT_EQ(measured, drive(model, spec, load, 300)) << spec.width << " x " << spec.height << " load " << load;
    }
  }
}

TEST(XyNetwork, KeepsTheOrderOfEveryPairAndDropsNothing) {
  const FabricSpec spec = mesh(8, 8);
  XyNetwork network(spec);
  TrafficRandom random(3);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pair_of;  // by payload, which ascends with time
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> last;
  std::uint64_t delivered = 0;
  std::uint64_t travelled = 0;
  std::uint64_t waited = 0;
  for (int cycle = 0; cycle < 3000 || network.in_flight() > 0; ++cycle) {
    ASSERT_LT(cycle, 100'000);
    for (std::uint32_t node = 0; cycle < 3000 && node < 64; ++node) {
      if (!network.can_inject(node)) {
        ++waited;
        continue;
      }
      const std::uint32_t destination = random.below(8);  // few destinations: pairs repeat, queues fill
      network.inject(node, destination, static_cast<std::uint32_t>(pair_of.size()));
      pair_of.emplace_back(node, destination);
    }
    for (const auto& delivery : network.step()) {
      const auto pair = pair_of.at(delivery.payload);
      ASSERT_EQ(delivery.node, pair.second);
      const auto [before, first] = last.try_emplace(pair, delivery.payload);
      ASSERT_TRUE(first || before->second < delivery.payload) << "a flit overtook another of its pair";
      before->second = delivery.payload;
      travelled += hops(spec, static_cast<int>(pair.first), static_cast<int>(pair.second));
      ++delivered;
    }
  }
  EXPECT_GT(waited, 1000U) << "the load must exercise back-pressure";
  EXPECT_EQ(delivered, pair_of.size());
  EXPECT_EQ(travelled, network.flit_hops());
}

TEST(XyNetwork, RefusesASpecItCannotRun) {
  const auto category = [](const FabricSpec& spec) {
    try {
      const XyNetwork network(spec);
    } catch (const sim::Error& error) {
      return error.category();
    }
    return sim::ErrorCategory::invariant;
  };
  EXPECT_EQ(category(mesh(0, 4)), sim::ErrorCategory::config);
  EXPECT_EQ(category(mesh(4, -1)), sim::ErrorCategory::config);
  EXPECT_EQ(category(mesh(4, 5000)), sim::ErrorCategory::config);
  EXPECT_EQ(category(mesh(4000, 4000)), sim::ErrorCategory::config);
  EXPECT_EQ(category(mesh(4, 4, 0)), sim::ErrorCategory::config);
  EXPECT_EQ(category(mesh(4, 4, 4, -1)), sim::ErrorCategory::config);
  FabricSpec slow = mesh(4, 4);
  slow.hop_cycles = 2;
  EXPECT_EQ(category(slow), sim::ErrorCategory::unsupported);
}

}  // namespace
}  // namespace wafersim::fabric
