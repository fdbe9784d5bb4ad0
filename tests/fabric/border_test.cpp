// Rows of routers cut into blocks: nothing of the cut shows in any cycle.
#include <algorithm>
#include <gtest/gtest.h>
#include <memory>
#include <ostream>
#include <string>

#include "fabric/fabric_block.h"
#include "sim/random.h"

namespace wafersim::fabric {
namespace {

constexpr int width = 12, output_words = 6;
constexpr Color gathered = 0, passing = 1;

// Two colors that share the links: `gathered` words come from each core in turn, farthest first, as a switch lets them; `passing` ones
// cross the row from edge to edge.
RouteMap two_colors() {
  RouteMap routes(width, 1);
  for (int x = 0; x < width; ++x) {
    routes.set({x, 0}, gathered,
               x == 0 ? route(mask(ramp), mask(east)) : Route{{{{mask(ramp), mask(east)}, {mask(west), mask(east)}}}, 2, false});
    routes.add({x, 0}, passing, mask(west), mask(east));
  }
  return routes;
}

struct Row {
  Row(const RouteMap& routes, const FabricSpec& spec, int block_width) : block_width_(block_width) {
    for (int x = 0; x < width; x += block_width)
      blocks.push_back(std::make_unique<FabricBlock>(spec, routes, Rectangle{x, 0, std::min(block_width, width - x), 1},
                                                     std::array<int, 8>{6, 6, 4, 4, 2, 2, 2, 2}, output_words));
    for (std::size_t b = 0; b + 1 < blocks.size(); ++b) {
      blocks[b]->set_neighbour(east, blocks[b + 1].get());
      blocks[b + 1]->set_neighbour(west, blocks[b].get());
    }
  }
  FabricBlock& at(int x) { return *blocks[static_cast<std::size_t>(x / block_width_)]; }
  std::uint32_t pe(int x) { return at(x).index({x, 0}); }
  void step(Cycle now) {
    for (auto& block : blocks) block->evaluate(now), block->commit(now);
  }
  bool awake() const {
    return std::any_of(blocks.begin(), blocks.end(), [](const auto& block) { return block->awake(); });
  }
  bool idle() const {
    return std::all_of(blocks.begin(), blocks.end(), [](const auto& block) { return block->idle(); });
  }

  std::vector<std::unique_ptr<FabricBlock>> blocks;

 private:
  int block_width_;
};

// What is seen of a run from outside: cycle, what, and which word.
struct Event {
  Cycle cycle;
  char what;
  std::uint32_t payload;
  friend bool operator==(const Event&, const Event&) = default;
};

std::vector<Event> events_of(const FabricSpec& spec, int block_width, std::uint64_t seed) {
  constexpr int words = 5;  // of each core
  Row row(two_colors(), spec, block_width);
  std::vector<Event> events;
  std::array<int, width> sent{};
  std::uint32_t entered = 0;
  for (Cycle now = 0; now < 2000; ++now) {
    row.at(width - 1).set_edge_room(east, 0, sim::random_bits(seed, 0, now) % 3 == 0);
    if (entered < 100 && row.at(0).enter(row.pe(0), west, passing, {entered, false, false}, now)) events.push_back({now, 'e', entered++});
    row.step(now);
    if (!row.awake()) events.push_back({now, 'q', 0});
    for (const FabricBlock::Crossing& c : row.at(width - 1).crossings(east))
      events.push_back({now, c.color == gathered ? 'g' : 'p', c.wavelet.payload});
    for (int x = 0; x < width; ++x) {
      int& k = sent[static_cast<std::size_t>(x)];
      if (k == words || !row.at(x).can_send(row.pe(x), gathered, output_words)) continue;
      row.at(x).send(row.pe(x), gathered, {static_cast<std::uint32_t>(x * 100 + k), false, k + 1 == words}, now);
      events.push_back({now, 's', static_cast<std::uint32_t>(x * 100 + k++)});
    }
    if (row.idle()) events.push_back({now, 'i', 0});
  }
  const auto count = [&](char what) { return std::count_if(events.begin(), events.end(), [&](const Event& e) { return e.what == what; }); };
  EXPECT_EQ(count('p'), 100);
  EXPECT_EQ(count('g'), width * words);
  return events;
}

struct Case {
  int hop_cycles, queue_words, block_width;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.hop_cycles << "/" << c.queue_words << "/" << c.block_width; }

class RowInBlocks : public testing::TestWithParam<Case> {};

TEST_P(RowInBlocks, DoesTheSameInEveryCycleAsOneBlock) {
  FabricSpec spec;
  spec.hop_cycles = GetParam().hop_cycles;
  spec.router_queue_words = GetParam().queue_words;
  for (const std::uint64_t seed : {1u, 2u, 3u}) EXPECT_TRUE(events_of(spec, GetParam().block_width, seed) == events_of(spec, width, seed));
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const int hop_cycles : {1, 3})
    for (const int queue_words : {1, 2, 4, 8})
      for (const int block_width : {1, 2, 5}) all.push_back({hop_cycles, queue_words, block_width});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Cuts, RowInBlocks, testing::ValuesIn(cases()), [](const auto& test) {
  return "Hop" + std::to_string(test.param.hop_cycles) + "Queue" + std::to_string(test.param.queue_words) + "Block" +
         std::to_string(test.param.block_width);
});

// The payloads of three passing words of which something becomes when the second would be the first in the router of PE `x`.
std::vector<std::uint32_t> after_fault(int block_width, int x, bool drop) {
  Row row(two_colors(), {}, block_width);
  row.at(width - 1).set_edge_room(east, 0, true);
  std::vector<std::uint32_t> left;
  for (Cycle now = 0; now < 100; ++now) {
    if (now < 3) row.at(0).enter(row.pe(0), west, passing, {static_cast<std::uint32_t>(now), false, false}, now);
    // Word k enters in cycle k and moves from router to router from the next on.
    if (now == static_cast<Cycle>(2 + x)) {
      EXPECT_TRUE(drop ? row.at(x).drop_waiting(row.pe(x), passing) : row.at(x).flip_waiting(row.pe(x), passing, 64));
      EXPECT_FALSE(row.at(x + 3).drop_waiting(row.pe(x + 3), passing));
    }
    row.step(now);
    for (const FabricBlock::Crossing& c : row.at(width - 1).crossings(east)) left.push_back(c.wavelet.payload);
  }
  EXPECT_TRUE(row.idle());
  return left;
}

TEST(RowInBlocks, AFaultHitsAWaveletThatHasJustCrossedABorder) {
  for (const int block_width : {width, 4, 1})
    for (const int x : {3, 4, 5}) {
      EXPECT_EQ(after_fault(block_width, x, true), (std::vector<std::uint32_t>{0, 2})) << block_width << ", " << x;
      EXPECT_EQ(after_fault(block_width, x, false), (std::vector<std::uint32_t>{0, 1 ^ 64, 2})) << block_width << ", " << x;
    }
}

// Cycles in which words leave the last router, which listens to its neighbour, from a control wavelet on to its core, and after the core's
// word to its neighbour again.
std::vector<Event> turns(int block_width) {
  RouteMap routes(width, 1);
  for (int x = 0; x < width; ++x) routes.add({x, 0}, gathered, mask(west), mask(east));
  constexpr int last = width - 1;
  routes.set({last, 0}, gathered, {{{{mask(west), mask(east)}, {mask(ramp), mask(east)}}}, 2, true});
  Row row(routes, {}, block_width);
  row.at(last).set_edge_room(east, 0, true);
  std::vector<Event> events;
  for (Cycle now = 0; now < 100; ++now) {
    if (now == 0) row.at(0).enter(row.pe(0), west, gathered, {control_payload(SwitchCommand::advance, true, 0), true, false}, now);
    if (now == 5) row.at(0).enter(row.pe(0), west, gathered, {5, false, false}, now);
    row.step(now);
    for (const FabricBlock::Crossing& c : row.at(last).crossings(east)) events.push_back({now, 'g', c.wavelet.payload});
    if (now == 50) row.at(last).send(row.pe(last), gathered, {50, false, true}, now);
  }
  return events;
}

TEST(RowInBlocks, AWaveletWaitsBehindABorderWhileTheSwitchListensElsewhere) {
  const std::vector<Event> expected = {
      {12, 'g', control_payload(SwitchCommand::advance, true, 0)}, {50 + 1 + 2, 'g', 50}, {53 + 1 + 1, 'g', 5}};
  for (const int block_width : {width, 5, 1}) EXPECT_TRUE(turns(block_width) == expected) << block_width;
}

}  // namespace
}  // namespace wafersim::fabric
