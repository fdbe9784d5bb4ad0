#include "fabric/fabric_block.h"

#include <gtest/gtest.h>
#include <string>

#include "sim/error.h"

namespace wafersim::fabric {
namespace {

constexpr std::array<int, 8> input_words = {6, 6, 4, 4, 2, 2, 2, 2};

// A block that is a whole mesh, with every edge port open unless told otherwise.
struct Bench {
  FabricSpec spec;
  RouteMap routes;
  FabricBlock block;
  Cycle now = 0;

  explicit Bench(const RouteMap& map, const FabricSpec& fabric = {})
      : spec(fabric), routes(map), block(fabric, map, {0, 0, map.width(), map.height()}, input_words, 6) {
    for (int y = 0; y < map.height(); ++y) {
      block.set_edge_room(west, static_cast<std::uint16_t>(y), true);
      block.set_edge_room(east, static_cast<std::uint16_t>(y), true);
    }
  }
  void step() {
    block.evaluate(now);
    block.commit(now);
    ++now;
  }
  // Steps until something leaves to the east; the cycle in which it does, or 0 after 1000.
  Cycle leaves_east() {
    for (; now < 1000;) {
      step();
      if (!block.crossings(east).empty()) return now - 1;
    }
    return 0;
  }
  std::uint32_t pe(int x, int y = 0) const { return block.index({x, y}); }
};

// A color from the west edge through a row to the east edge.
RouteMap row(int width, Color color = 0, DirectionMask also = 0) {
  RouteMap routes(width, 1);
  for (int x = 0; x < width; ++x) routes.add({x, 0}, color, mask(west), static_cast<DirectionMask>(mask(east) | also));
  return routes;
}

class Hops : public testing::TestWithParam<int> {};

TEST_P(Hops, AWaveletCrossesThemInExactlyAsManyCycles) {
  const int hops = GetParam();
  Bench bench(row(hops));  // through `hops` routers: one cycle each
  ASSERT_TRUE(bench.block.enter(0, west, 0, {42, false, false}, 0));
  EXPECT_EQ(bench.leaves_east(), static_cast<Cycle>(hops));
  EXPECT_EQ(bench.block.crossings(east)[0].wavelet.payload, 42u);
  EXPECT_TRUE(bench.block.idle());
}

TEST_P(Hops, TakeTwiceAsLongAtTwoCyclesEach) {
  FabricSpec spec;
  spec.hop_cycles = 2;
  Bench bench(row(GetParam()), spec);
  ASSERT_TRUE(bench.block.enter(0, west, 0, {42, false, false}, 0));
  EXPECT_EQ(bench.leaves_east(), static_cast<Cycle>(2 * GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Counts, Hops, testing::Values(1, 2, 7, 64, 200), [](const auto& hops) { return std::to_string(hops.param); });

TEST(FabricBlock, APassingWaveletReachesTheCoreAfterTheRamp) {
  Bench bench(row(3, 0, mask(ramp)));
  for (const int x : {0, 1, 2}) bench.block.bind_input(bench.pe(x), 2, 0);
  bench.block.enter(0, west, 0, {7, false, false}, 0);
  bench.leaves_east();  // cycle 3: the last router sends to the edge and up the ramp
  FabricBlock::Arrived arrived;
  EXPECT_FALSE(bench.block.peek(bench.pe(2), 2, 4, &arrived));
  EXPECT_TRUE(bench.block.peek(bench.pe(2), 2, 5, &arrived));
  EXPECT_EQ(arrived.payload, 7u);
  EXPECT_TRUE(bench.block.peek(bench.pe(1), 2, 4, &arrived));
  EXPECT_FALSE(bench.block.peek(bench.pe(1), 2, 3, &arrived));
}

TEST(FabricBlock, ALinkCarriesOneWaveletACycleOverAllColors) {
  RouteMap routes = row(1, 0);
  routes.add({0, 0}, 1, mask(ramp), mask(east));
  Bench bench(routes);
  for (int k = 0; k < 3; ++k) {
    ASSERT_TRUE(bench.block.enter(0, west, 0, {static_cast<std::uint32_t>(k), false, false}, bench.now));
    bench.block.send(0, 1, {static_cast<std::uint32_t>(10 + k), false, false}, bench.now);
    bench.step();
    EXPECT_LE(bench.block.crossings(east).size(), 1u);
  }
  int crossed = static_cast<int>(bench.block.flits(0, east));
  while (!bench.block.idle() && bench.now < 100) {
    bench.step();
    EXPECT_EQ(bench.block.crossings(east).size(), bench.block.flits(0, east) - static_cast<std::uint64_t>(crossed));
    crossed = static_cast<int>(bench.block.flits(0, east));
  }
  EXPECT_EQ(crossed, 6);
}

TEST(FabricBlock, AFullQueueHoldsBackWhatComesAndLosesNothing) {
  Bench bench(row(4));
  bench.block.set_edge_room(east, 0, false);
  std::uint32_t entered = 0;
  for (; bench.now < 100;) {
    if (bench.block.enter(0, west, 0, {entered, false, false}, bench.now)) ++entered;
    bench.step();
    for (int x = 0; x < 4; ++x) ASSERT_LE(bench.block.waiting_in_router(bench.pe(x), 0), bench.spec.router_queue_words);
  }
  EXPECT_EQ(entered, 16u);  // four queues of four words
  EXPECT_FALSE(bench.block.awake());
  bench.block.set_edge_room(east, 0, true);
  std::uint32_t next = 0;
  while (!bench.block.idle() && bench.now < 200) {
    bench.step();
    for (const FabricBlock::Crossing& c : bench.block.crossings(east)) EXPECT_EQ(c.wavelet.payload, next++);
  }
  EXPECT_EQ(next, 16u);
}

TEST(FabricBlock, AMulticastWaitsUntilAllItsOutputsHaveRoom) {
  RouteMap routes(1, 1);
  routes.add({0, 0}, 0, mask(west), mask(east, ramp));
  Bench bench(routes);
  bench.block.enter(0, west, 0, {1, false, false}, 0);
  for (int k = 0; k < 10; ++k) bench.step();
  EXPECT_EQ(bench.block.flits(0, east), 0u);  // no queue is bound
  bench.block.bind_input(0, 3, 0);
  bench.step();
  EXPECT_EQ(bench.block.flits(0, east), 1u);
  EXPECT_EQ(bench.block.waiting_in_input(0, 3), 1);
}

TEST(FabricBlock, TwoInputsOfOneColorInOneCycleAreAnError) {
  RouteMap routes(3, 1);
  routes.add({0, 0}, 0, mask(west), mask(east));
  routes.add({2, 0}, 0, mask(east), mask(west));
  routes.add({1, 0}, 0, mask(west, east), mask(ramp));
  Bench bench(routes);
  bench.block.enter(bench.pe(0), west, 0, {1, false, false}, 0);
  bench.block.enter(bench.pe(2), east, 0, {2, false, false}, 0);
  bench.step();
  try {
    bench.step();
    FAIL() << "both were taken";
  } catch (const sim::Error& error) {
    EXPECT_EQ(error.category(), sim::ErrorCategory::plan);
    EXPECT_NE(std::string(error.what()).find("two inputs of color 0 at PE (1, 0)"), std::string::npos) << error.what();
  }
}

TEST(FabricBlock, ACounterFilterLetsItsWindowUpTheRamp) {
  RouteMap routes(1, 1);
  routes.add({0, 0}, 0, mask(west), mask(ramp));
  routes.set_filter({0, 0}, 0, {5, 1, 3});
  Bench bench(routes);
  bench.block.bind_input(0, 0, 0);
  std::vector<std::uint32_t> got;
  for (std::uint32_t k = 0; bench.now < 30; ++k) {
    if (k < 10) bench.block.enter(0, west, 0, {k, false, false}, bench.now);
    bench.step();
    FabricBlock::Arrived arrived;
    if (bench.block.peek(0, 0, bench.now, &arrived)) {
      got.push_back(arrived.payload);
      bench.block.pop(0, 0);
    }
  }
  EXPECT_EQ(got, (std::vector<std::uint32_t>{1, 2, 6, 7}));
}

// One PE whose color 0 comes from the west and leaves to the east, then over the ramp.
Route east_then_ramp(bool ring) { return {{{{mask(west), mask(east)}, {mask(west), mask(ramp)}}}, 2, ring}; }

std::string where(Bench& bench, std::initializer_list<Wavelet> wavelets) {
  std::string to;
  for (const Wavelet& w : wavelets) {
    bench.block.enter(0, west, 0, w, bench.now);
    const std::uint64_t before = bench.block.flits(0, east);
    for (int k = 0; k < 3; ++k) bench.step();
    to += bench.block.flits(0, east) > before ? 'e' : 'r';
  }
  return to;
}

constexpr Wavelet data = {1, false, false};
constexpr Wavelet control(SwitchCommand command) { return {control_payload(command, true, 0), true, false}; }

TEST(FabricBlock, ControlWaveletsAdvanceAndResetTheSwitchAfterTheyHavePassed) {
  RouteMap routes(1, 1);
  routes.set({0, 0}, 0, east_then_ramp(false));
  Bench bench(routes);
  bench.block.bind_input(0, 0, 0);
  EXPECT_EQ(where(bench, {data, control(SwitchCommand::nop), data, control(SwitchCommand::advance), data}), "eeeer");
  EXPECT_EQ(where(bench, {control(SwitchCommand::advance), data}), "rr");  // past the last: nothing. Its core ignores it.
  EXPECT_EQ(where(bench, {control(SwitchCommand::reset), data}), "re");
  EXPECT_EQ(bench.block.waiting_in_input(0, 0), 2);  // the data only
}

TEST(FabricBlock, ARingSwitchComesBackToItsFirstPosition) {
  RouteMap routes(1, 1);
  routes.set({0, 0}, 0, east_then_ramp(true));
  Bench bench(routes);
  bench.block.bind_input(0, 0, 0);
  EXPECT_EQ(where(bench, {control(SwitchCommand::advance), data, control(SwitchCommand::advance), data}), "erre");
}

TEST(FabricBlock, AWaveletSentWithAdvanceMovesItsOwnRouterOnly) {
  RouteMap routes(2, 1);
  routes.set({0, 0}, 0, {{{{mask(ramp), mask(east)}, {mask(west), mask(east)}}}, 2, false});
  routes.set({1, 0}, 0, {{{{mask(west), mask(east)}, {mask(ramp), mask(east)}}}, 2, false});
  Bench bench(routes);
  ASSERT_TRUE(bench.block.can_send(0, 0, 2));
  ASSERT_FALSE(bench.block.enter(0, west, 0, data, 0));
  bench.block.send(0, 0, {5, false, true}, 0);
  EXPECT_GT(bench.leaves_east(), 0u);
  EXPECT_FALSE(bench.block.can_send(0, 0, 2));
  EXPECT_TRUE(bench.block.enter(0, west, 0, data, bench.now));
  EXPECT_EQ(bench.block.current_route(bench.pe(1), 0).in, mask(west));
}

TEST(FabricBlock, AnInputQueueIsNotBoundAnewWhileItHoldsWavelets) {
  RouteMap routes(1, 1);
  routes.add({0, 0}, 0, mask(west), mask(ramp));
  routes.add({0, 0}, 1, mask(west), mask(ramp));
  Bench bench(routes);
  bench.block.bind_input(0, 0, 0);
  bench.block.enter(0, west, 0, data, 0);
  for (int k = 0; k < 5; ++k) bench.step();
  EXPECT_THROW(bench.block.bind_input(0, 0, 1), sim::Error);
}

}  // namespace
}  // namespace wafersim::fabric
