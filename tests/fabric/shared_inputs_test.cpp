// Switch positions that listen to several inputs: trees that gather to one edge port.
#include <algorithm>
#include <gtest/gtest.h>
#include <memory>
#include <ostream>
#include <string>

#include "fabric/fabric_block.h"
#include "sim/error.h"
#include "sim/random.h"

namespace wafersim::fabric {
namespace {

constexpr int output_words = 6;
constexpr Color gathered = 0;

struct Case {
  int hop_cycles, queue_words, block_width, block_height;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.hop_cycles << "/" << c.queue_words << "/" << c.block_width << "x" << c.block_height;
}

// A mesh in blocks of which the east edge ports take a wavelet when told.
struct Mesh {
  Mesh(const RouteMap& routes, const Case& c) : width(routes.width()), height(routes.height()), cut(c) {
    FabricSpec spec;
    spec.hop_cycles = c.hop_cycles;
    spec.router_queue_words = c.queue_words;
    columns = (width + c.block_width - 1) / c.block_width;
    for (int y = 0; y < height; y += c.block_height)
      for (int x = 0; x < width; x += c.block_width)
        blocks.push_back(std::make_unique<FabricBlock>(
            spec, routes, Rectangle{x, y, std::min(c.block_width, width - x), std::min(c.block_height, height - y)},
            std::array<int, 8>{6, 6, 4, 4, 2, 2, 2, 2}, output_words));
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      const Rectangle& r = blocks[b]->place();
      const auto row = static_cast<std::size_t>(columns);
      if (r.x > 0) blocks[b]->set_neighbour(west, blocks[b - 1].get());
      if (r.x + r.width < width) blocks[b]->set_neighbour(east, blocks[b + 1].get());
      if (r.y > 0) blocks[b]->set_neighbour(north, blocks[b - row].get());
      if (r.y + r.height < height) blocks[b]->set_neighbour(south, blocks[b + row].get());
    }
  }
  FabricBlock& at(Coord c) { return *blocks[static_cast<std::size_t>(c.y / cut.block_height * columns + c.x / cut.block_width)]; }
  std::uint32_t pe(Coord c) { return at(c).index(c); }
  void step(Cycle now) {
    for (auto& block : blocks) block->evaluate(now), block->commit(now);
  }

  int width, height, columns = 0;
  Case cut;
  std::vector<std::unique_ptr<FabricBlock>> blocks;
};

// Every router sends towards the last one of its row or column, at random, and listens to its core and to all that send to it; some may
// turn to fewer inputs and back.
RouteMap random_tree(int width, int height, std::uint64_t seed) {
  RouteMap routes(width, height);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const auto place = static_cast<std::uint64_t>(y * width + x);
      const bool down = y + 1 < height && (x + 1 == width || sim::random_bits(seed, 1, place) % 2 == 0);
      routes.add({x, y}, gathered, x == 0 ? mask(ramp, west) : mask(ramp), mask(down ? south : east));
      if (down || x + 1 < width) routes.add(neighbour({x, y}, down ? south : east), gathered, mask(down ? north : west), 0);
    }
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const RoutePosition all = routes.get({x, y}, gathered).position[0];
      if (sim::random_bits(seed, 2, static_cast<std::uint64_t>(y * width + x)) % 3 == 0)
        routes.set({x, y}, gathered, {{{all, {mask(ramp), all.out}}}, 2, true});
    }
  return routes;
}

struct Event {
  Cycle cycle;
  char what;
  int x, y;
  std::uint32_t payload;
  friend bool operator==(const Event&, const Event&) = default;
};

struct Outcome {
  std::vector<Event> events;
  std::string error;
  Cycle end = 0;  // the last whole cycle
  int left = 0;   // words that reached the port
};

constexpr Cycle cycles = 3000;

// Cores and west ports send at random, the port at the end takes words in long bursts with long pauses, in which the queues fill.
Outcome gather(const Case& c, std::uint64_t seed) {
  constexpr int width = 6, height = 4;
  Mesh mesh(random_tree(width, height, seed), c);
  Outcome seen;
  std::uint32_t next = 0;
  const Coord port{width - 1, height - 1};
  try {
    for (Cycle now = 0; now < cycles; ++now) {
      mesh.at(port).set_edge_room(east, static_cast<std::uint16_t>(mesh.at(port).place().height - 1), now / 64 % 4 == 3);
      for (int y = 0; y < height; ++y)
        if (sim::random_bits(seed, 3, now * height + static_cast<Cycle>(y)) % 600 == 0 &&
            mesh.at({0, y}).enter(mesh.pe({0, y}), west, gathered, {next, false, false}, now))
          seen.events.push_back({now, 'e', 0, y, next++});
      mesh.step(now);
      for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
          const Coord at{x, y};
          const std::uint64_t bits = sim::random_bits(seed, 4, (now * height + static_cast<Cycle>(y)) * width + static_cast<Cycle>(x));
          if (bits % 900 != 0 || !mesh.at(at).can_send(mesh.pe(at), gathered, output_words)) continue;
          mesh.at(at).send(mesh.pe(at), gathered, {next, false, bits / 900 % 4 == 0}, now);
          seen.events.push_back({now, 's', x, y, next++});
        }
      for (const FabricBlock::Crossing& word : mesh.at(port).crossings(east)) {
        seen.events.push_back({now, 'g', port.x, port.y, word.wavelet.payload});
        ++seen.left;
      }
      seen.end = now;
    }
  } catch (const sim::Error& error) {
    EXPECT_EQ(error.category(), sim::ErrorCategory::plan);
    seen.error = error.what();
  }
  return seen;
}

class SharedInputs : public testing::TestWithParam<Case> {};

TEST_P(SharedInputs, DoTheSameInEveryCycleAsInOneBlock) {
  int whole = 0, failed = 0, left = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Case one = GetParam();
    one.block_width = one.block_height = 100;
    const Outcome expected = gather(one, seed);
    Outcome got = gather(GetParam(), seed);
    EXPECT_EQ(got.error, expected.error) << seed;
    // Two wavelets that cross into one router over different borders are seen by it a cycle later.
    EXPECT_TRUE(got.end == expected.end || (!got.error.empty() && got.end == expected.end + 1)) << seed;
    std::erase_if(got.events, [&](const Event& e) { return e.cycle > expected.end; });
    std::vector<Event> events = expected.events;
    std::erase_if(events, [&](const Event& e) { return e.cycle > expected.end; });
    EXPECT_TRUE(got.events == events) << seed;
    (expected.error.empty() ? whole : failed) += 1;
    left += expected.error.empty() ? expected.left : 0;
  }
  EXPECT_GT(whole, 3);
  EXPECT_GT(failed, 3);
  EXPECT_GT(left, 200);
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const int hop_cycles : {1, 3, 5})
    for (const int queue_words : {1, 2, 4})
      for (const auto& [w, h] : {std::pair{1, 1}, {2, 3}, {6, 1}, {5, 2}}) all.push_back({hop_cycles, queue_words, w, h});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Cuts, SharedInputs, testing::ValuesIn(cases()), [](const auto& test) {
  const Case& c = test.param;
  return "Hop" + std::to_string(c.hop_cycles) + "Queue" + std::to_string(c.queue_words) + "Block" + std::to_string(c.block_width) + "x" +
         std::to_string(c.block_height);
});

// One router whose neighbours and core all send to the east.
RouteMap cross() {
  RouteMap routes(3, 3);
  routes.add({0, 1}, gathered, mask(west), mask(east));
  routes.add({1, 0}, gathered, mask(ramp), mask(south));
  routes.add({1, 2}, gathered, mask(ramp), mask(north));
  routes.add({1, 1}, gathered, mask(west, north, south, ramp), mask(east));
  routes.add({2, 1}, gathered, mask(west), mask(east));
  return routes;
}

TEST(SharedInput, WaveletsPassInTheOrderInWhichTheyArrive) {
  Mesh mesh(cross(), {1, 4, 3, 3});
  FabricBlock& block = *mesh.blocks[0];
  block.set_edge_room(east, 1, true);
  std::vector<std::pair<Cycle, std::uint32_t>> left;
  for (Cycle now = 0; now < 30; ++now) {
    if (now == 2) block.enter(mesh.pe({0, 1}), west, gathered, {1, false, false}, now);  // in the middle from cycle 4 on
    mesh.step(now);
    if (now == 2) block.send(mesh.pe({1, 1}), gathered, {2, false, false}, now);  // from 2 + 1 + 2 on
    if (now == 4) block.send(mesh.pe({1, 1}), gathered, {4, false, false}, now);  // 7
    if (now == 2) block.send(mesh.pe({1, 0}), gathered, {3, false, false}, now);  // 2 + 3 + 1
    for (const FabricBlock::Crossing& word : block.crossings(east)) left.emplace_back(now, word.wavelet.payload);
  }
  EXPECT_EQ(left, (std::vector<std::pair<Cycle, std::uint32_t>>{{5, 1}, {6, 2}, {7, 3}, {8, 4}}));
}

// Nothing leaves: each input has its own places, so that one that is full does not keep the others out.
TEST(SharedInput, EveryInputHasPlacesOfItsOwn) {
  Mesh mesh(cross(), {1, 2, 3, 3});
  FabricBlock& block = *mesh.blocks[0];
  std::uint32_t entered = 0, sent = 0;
  for (Cycle now = 0; now < 60; ++now) {
    if (now < 40 && block.enter(mesh.pe({0, 1}), west, gathered, {1, false, false}, now)) ++entered;
    mesh.step(now);
    if (now >= 40 && block.can_send(mesh.pe({1, 1}), gathered, output_words)) {
      block.send(mesh.pe({1, 1}), gathered, {2, false, false}, now);
      ++sent;
    }
  }
  EXPECT_EQ(entered, 2u + 2 + 2);  // in the last router, the middle one, its own
  EXPECT_EQ(sent, static_cast<std::uint32_t>(output_words + FabricSpec{}.ramp_cycles));
  EXPECT_EQ(block.waiting_in_router(mesh.pe({1, 1}), gathered), 2 + output_words + FabricSpec{}.ramp_cycles);
}

TEST(SharedInput, ACollisionIsReportedWithColorPeAndCycleWhateverIsOnTheWay) {
  for (const auto& [width, height] : {std::pair{3, 3}, {1, 1}, {2, 2}}) {
    Mesh mesh(cross(), {1, 4, width, height});
    std::string text;
    try {
      for (Cycle now = 0; now < 10; ++now) {
        if (now == 3) mesh.at({0, 1}).enter(mesh.pe({0, 1}), west, gathered, {1, false, false}, now);
        mesh.step(now);
        if (now == 2) mesh.at({1, 1}).send(mesh.pe({1, 1}), gathered, {2, false, false}, now);
        if (now == 3) mesh.at({1, 1}).send(mesh.pe({1, 1}), gathered, {3, false, false}, now);
      }
    } catch (const sim::Error& error) {
      EXPECT_EQ(error.category(), sim::ErrorCategory::plan);
      text = error.what();
    }
    EXPECT_EQ(text, "two inputs of color 0 at PE (1, 1) deliver in the same cycle 5") << width;
  }
}

TEST(SharedInput, MoreWordsThanAQueueHoldsAreRefused) {
  try {
    Mesh mesh(cross(), {1, 60, 3, 3});
    FAIL() << "a queue of 191 words";
  } catch (const sim::Error& error) {
    EXPECT_EQ(error.category(), sim::ErrorCategory::plan);
    EXPECT_NE(std::string(error.what()).find("lower fabric.router_queue_words (60)"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace wafersim::fabric
