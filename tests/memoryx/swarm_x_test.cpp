// SwarmX between a source of words and several links, without either: exact cycles.

#include "memoryx/swarm_x.h"

#include <gtest/gtest.h>

#include "tests/memoryx/small_model.h"

namespace wafersim::memoryx {
namespace {

using Kind = GradientWord::Kind;

// Words of channel 0, the first ready at cycle 0.
struct Words : InSource {
  std::deque<InWord> words;
  const InWord* peek(int channel) override { return channel == 0 && !words.empty() ? &words.front() : nullptr; }
  void pop(int, std::uint64_t) override { words.pop_front(); }
};

struct Sums : GradientSink {
  struct Arrival {
    float value;
    int system;
    std::uint64_t cycle;
    friend bool operator==(const Arrival&, const Arrival&) = default;
  };
  std::vector<Arrival> arrivals;
  void take(const GradientValue& value, std::uint64_t cycle) override { arrivals.push_back({value.value, value.system, cycle}); }
};

// A word takes 2 cycles of a node and 10 more to the next at 1 Hz.
SwarmXSpec slow() { return {2, 2.0, 10.0}; }

struct Bench {
  Words words;
  Sums sums;
  SwarmX tree;
  std::uint64_t now = 0;
  explicit Bench(int systems, const SwarmXSpec& spec = slow()) : tree(spec, 1.0, small_timing(), {systems, spec.fanout}, words, sums) {}
  void run_until(std::uint64_t end) {
    for (; now < end; now = std::min(end, tree.next_event(now))) tree.step(now);
  }
  void step_until(std::uint64_t end) {
    for (; now < end; ++now) tree.step(now);
  }
  static InWord word(std::uint32_t bits, int system = all_systems) { return {west_port(0), 0, bits, 0, 0, 0, system}; }
  void give(int system, float value, int sequence = 0) {
    tree.gradients(system).take({{Kind::parameter, 14, 0}, value, 0, 0, all_systems, sequence}, now);
  }
};

TEST(SwarmX, AWordCrossesANodeInItsTimeAndTheNodesLatency) {
  Bench bench(2);
  bench.words.words = {Bench::word(7), Bench::word(8)};
  bench.run_until(100);
  for (const int system : {0, 1}) {
    InSource& end = bench.tree.weights(system);
    ASSERT_NE(end.peek(0), nullptr);
    EXPECT_EQ(end.peek(0)->bits, 7u);
    EXPECT_EQ(end.peek(0)->ready_cycle, 2u + 10);
    end.pop(0, 50);
    EXPECT_EQ(end.peek(0)->bits, 8u);
    EXPECT_EQ(end.peek(0)->ready_cycle, 4u + 10);
    EXPECT_FALSE(bench.tree.idle());
    end.pop(0, 51);
    EXPECT_EQ(end.peek(0), nullptr);
  }
  EXPECT_TRUE(bench.tree.idle());
}

TEST(SwarmX, ALevelMoreTakesANodesTimeMore) {
  Bench bench(3);  // system 2 is the only child of its node
  bench.words.words = {Bench::word(7)};
  bench.run_until(100);
  for (const int system : {0, 1, 2}) EXPECT_EQ(bench.tree.weights(system).peek(0)->ready_cycle, 2u * (2 + 10)) << system;
}

TEST(SwarmX, WordsOfASystemComeToItAlone) {
  Bench bench(3);
  bench.words.words = {Bench::word(1, 0), Bench::word(2, 1), Bench::word(3, 2), Bench::word(9)};
  bench.run_until(100);
  for (const int system : {2, 0, 1}) {
    InSource& end = bench.tree.weights(system);
    EXPECT_EQ(end.peek(0)->bits, static_cast<std::uint32_t>(system + 1));
    end.pop(0, 60);
    EXPECT_EQ(end.peek(0)->bits, 9u);
    end.pop(0, 60);
    EXPECT_EQ(end.peek(0), nullptr);
  }
  EXPECT_TRUE(bench.tree.idle());
}

// Room for what the link takes in the 12 cycles of the way and one more, for each of two systems; the slower one decides.
TEST(SwarmX, ANodeTakesNoMoreThanItsSlowestChildLeavesRoomFor) {
  Bench bench(2);
  for (std::uint32_t k = 0; k < 100; ++k) bench.words.words.push_back(Bench::word(k));
  bench.run_until(1000);
  const std::size_t held = 2 * (10 + 2 + 1);
  EXPECT_EQ(bench.words.words.size(), 100 - held);
  InSource &fast = bench.tree.weights(0), &late = bench.tree.weights(1);
  while (fast.peek(0) != nullptr) fast.pop(0, 1000);
  bench.run_until(2000);
  EXPECT_EQ(bench.words.words.size(), 100 - held);
  late.pop(0, 2000);
  bench.tree.step(2000);  // the place is free from the next cycle on
  EXPECT_EQ(bench.words.words.size(), 100 - held);
  bench.tree.step(2001);
  EXPECT_EQ(bench.words.words.size(), 99 - held);
}

TEST(SwarmX, AnUpdateThatHeldAWordUpIsToldToTheLinkAndTheWayIsNot) {
  Bench bench(3);
  bench.words.words = {Bench::word(1), Bench::word(2)};
  bench.words.words[1].ready_cycle = 20;  // free from 2 on
  bench.run_until(100);
  InSource& end = bench.tree.weights(0);
  EXPECT_EQ(end.peek(0)->step_cycle, end.peek(0)->ready_cycle);
  end.pop(0, 100);
  EXPECT_EQ(end.peek(0)->ready_cycle, 20u + 24);
  EXPECT_EQ(end.peek(0)->ready_cycle - end.peek(0)->step_cycle, 18u);
}

TEST(SwarmX, ASumGoesUpWhenTheLastChildHasSentItsPart) {
  Bench bench(3);
  constexpr float big = 0x1p24f;
  bench.give(2, 1.0f);
  bench.give(1, 1.0f);
  bench.run_until(40);
  EXPECT_TRUE(bench.sums.arrivals.empty());
  bench.give(0, big);  // at 40: (big + 1) + 1
  bench.run_until(200);
  // It leaves the node at 41, is with the root at 53, leaves it at 54.
  EXPECT_EQ(bench.sums.arrivals, (std::vector<Sums::Arrival>{{big, all_systems, 66}}));
  EXPECT_TRUE(bench.tree.idle());
}

TEST(SwarmX, TheOrderWithinACycleIsNotThatOfTheCalls) {
  for (const bool turned : {false, true}) {
    Bench bench(2);
    for (const int k : {0, 1}) {
      const int sequence = turned ? 1 - k : k;
      for (const int system : {k, 1 - k}) bench.give(system, static_cast<float>(sequence + 1), sequence);
    }
    bench.run_until(100);
    EXPECT_EQ(bench.sums.arrivals, (std::vector<Sums::Arrival>{{2.0f, all_systems, 13}, {4.0f, all_systems, 15}}));
  }
}

TEST(SwarmX, TokensGoUpOneByOneAndTakeNothingOfANodesRate) {
  Bench bench(2);
  const auto token = [&](int system) { bench.tree.gradients(system).take({{Kind::token_row, 0, 0}, 1.0f, 0, 0, system, 0}, bench.now); };
  token(1), token(0);
  bench.run_until(10);
  bench.give(0, 2.0f), bench.give(1, 3.0f);  // behind them, 11 to 13
  token(1);                                  // behind the sum, which it does not overtake
  bench.run_until(100);
  EXPECT_EQ(bench.sums.arrivals, (std::vector<Sums::Arrival>{{1.0f, 0, 11}, {1.0f, 1, 11}, {5.0f, all_systems, 23}, {1.0f, 1, 23}}));
}

TEST(SwarmX, WordsOfOneSystemTakeNothingOfANodesRate) {
  Bench bench(2);
  for (std::uint32_t k = 0; k < 6; ++k) bench.words.words.push_back(Bench::word(k, static_cast<int>(k) % 2));
  bench.words.words.push_back(Bench::word(9));
  bench.run_until(100);
  for (const int system : {0, 1}) {
    InSource& end = bench.tree.weights(system);
    for (int k = 0; k < 3; ++k) {
      EXPECT_EQ(end.peek(0)->ready_cycle, 10u);
      end.pop(0, 50);
    }
    EXPECT_EQ(end.peek(0)->ready_cycle, 2u + 10);
    end.pop(0, 50);
  }
}

TEST(SwarmX, NamesEveryCycleAtWhichSomethingHappens) {
  Bench events(5), cycles(5);
  for (Bench* bench : {&events, &cycles}) {
    for (std::uint32_t k = 0; k < 10; ++k) bench->words.words.push_back(Bench::word(k, k % 3 == 0 ? static_cast<int>(k) % 5 : all_systems));
    for (int k = 0; k < 3; ++k)
      for (int system = 0; system < 5; ++system) bench->give(system, static_cast<float>(k * system));
  }
  events.run_until(300);
  cycles.step_until(300);
  EXPECT_EQ(events.sums.arrivals, cycles.sums.arrivals);
  EXPECT_EQ(events.sums.arrivals.size(), 3u);
  for (int system = 0; system < 5; ++system)
    while (const InWord* word = cycles.tree.weights(system).peek(0)) {
      ASSERT_NE(events.tree.weights(system).peek(0), nullptr);
      EXPECT_EQ(events.tree.weights(system).peek(0)->bits, word->bits);
      EXPECT_EQ(events.tree.weights(system).peek(0)->ready_cycle, word->ready_cycle);
      events.tree.weights(system).pop(0, 300);
      cycles.tree.weights(system).pop(0, 300);
    }
  EXPECT_TRUE(events.tree.idle());
}

}  // namespace
}  // namespace wafersim::memoryx
