#include "memoryx/weight_streamer.h"

#include <bit>
#include <gtest/gtest.h>

#include "sim/error.h"
#include "sim/numerics/elementary.h"
#include "tests/memoryx/small_model.h"

namespace wafersim::memoryx {
namespace {

using Kind = StreamValue::Kind;
constexpr std::uint32_t none = StreamValue::no_token;

StreamWord single(Port port, StreamValue value) { return {port, 0, sim::Dtype::f32, value, {}}; }

std::uint32_t bits(float value) { return std::bit_cast<std::uint32_t>(value); }

// The bits of a channel's words, taken one by one.
std::vector<std::uint32_t> drain(WeightStreamer& streamer, int channel) {
  std::vector<std::uint32_t> all;
  while (const InWord* word = streamer.peek(channel)) {
    all.push_back(word->bits);
    streamer.pop(channel, 0);
  }
  return all;
}

TEST(WeightStreamer, TakesEveryKindOfValueFromStoreBatchAndScale) {
  const ParameterStore store = small_store();
  CallStream call;
  call.in = {single(west_port(0), {Kind::parameter, 0, 15, 0}),   single(west_port(0), {Kind::token_row, 2, 1, 4}),
             single(west_port(0), {Kind::token_row, 2, 1, none}), single(west_port(0), {Kind::target, 0, 0, 0}),
             single(west_port(0), {Kind::target, 0, 0, none}),    single(west_port(0), {Kind::gradient_scale, 0, 0, 0}),
             single(west_port(0), {Kind::zero, 0, 0, 0})};
  WeightStreamer streamer({&call}, small_timing(), store);
  streamer.begin_step(0, small_batch(), 0.75f);
  // Token 4 has id 2: its row begins at element 4, feature 1 of it is element 5.
  EXPECT_EQ(drain(streamer, 0), (std::vector<std::uint32_t>{bits(16.0f), bits(6.0f), 0, 3, none, bits(0.75f), 0}));
  EXPECT_TRUE(streamer.finished());
}

TEST(WeightStreamer, PacksTwoHalvesTheFirstInTheLowHalf) {
  ParameterStore store = small_store();
  store.weights()[14] = 1.0f + 0x1p-11f;  // halfway between two halves: rounds to even
  store.weights()[15] = -2.0f;
  CallStream call;
  call.in = {{west_port(1), 7, sim::Dtype::f16, {Kind::parameter, 0, 14, 0}, {Kind::parameter, 0, 15, 0}}};
  WeightStreamer streamer({&call}, small_timing(), store);
  streamer.begin_step(0, small_batch(), 1.0f);
  const InWord* word = streamer.peek(0);
  ASSERT_NE(word, nullptr);
  EXPECT_EQ(word->bits, 0xC0003C00u);
  EXPECT_EQ(word->color, 7);
  EXPECT_EQ(word->port, west_port(1));
}

TEST(WeightStreamer, PacksTwoBf16) {
  ParameterStore store = small_store();
  store.weights()[14] = 1.0f + 0x1p-8f;  // halfway between two: rounds to even
  store.weights()[15] = -0x1p-130f;
  CallStream call;
  call.in = {{west_port(1), 7, sim::Dtype::bf16, {Kind::parameter, 0, 14, 0}, {Kind::parameter, 0, 15, 0}}};
  WeightStreamer streamer({&call}, small_timing(), store);
  streamer.begin_step(0, small_batch(), 1.0f);
  ASSERT_NE(streamer.peek(0), nullptr);
  EXPECT_EQ(streamer.peek(0)->bits, 0x80083F80u);
}

TEST(WeightStreamer, SendsRawWordsAndStartsWithTheNumberOfTheirCall) {
  const ParameterStore store = small_store();
  CallStream first, second;
  first.in = {single(west_port(0), {Kind::word, 0, 0x89abcdefu, 0}), single(west_port(0), {Kind::start, 0, 0x05000000u, 0})};
  second.in = {single(west_port(0), {Kind::start, 0, 0x06000000u, 0})};
  WeightStreamer streamer({&first, &second}, small_timing(), store);
  streamer.begin_step(0, small_batch(), 1.0f);
  EXPECT_EQ(drain(streamer, 0), (std::vector<std::uint32_t>{0x89abcdefu, 0x05000000u, 0x06000001u}));
}

TEST(WeightStreamer, KeepsTheOrderOfEachChannelOverCalls) {
  const ParameterStore store = small_store();
  CallStream first, second;
  first.in = {single(east_port(2), {Kind::parameter, 0, 0, 0}), single(west_port(0), {Kind::parameter, 0, 1, 0}),
              single(east_port(0), {Kind::parameter, 0, 2, 0})};
  second.in = {single(west_port(2), {Kind::parameter, 0, 3, 0}), single(east_port(1), {Kind::parameter, 0, 4, 0})};
  WeightStreamer streamer({&first, &second}, small_timing(), store);
  EXPECT_EQ(streamer.peek(0), nullptr);  // no step has begun
  for (int step = 0; step < 2; ++step) {
    streamer.begin_step(0, small_batch(), 1.0f);
    EXPECT_EQ(streamer.words_left(), 5u);
    EXPECT_EQ(drain(streamer, 1), (std::vector<std::uint32_t>{bits(1), bits(3), bits(5)}));
    EXPECT_FALSE(streamer.finished());
    EXPECT_EQ(drain(streamer, 0), (std::vector<std::uint32_t>{bits(2), bits(4)}));
    EXPECT_TRUE(streamer.finished());
  }
}

TEST(WeightStreamer, AWordWaitsUntilItsBlockOfTheCallHasBeenRead) {
  const ParameterStore store = small_store();
  CallStream call;
  call.in = {{west_port(0), 0, sim::Dtype::f16, {Kind::parameter, 0, 13, 0}, {Kind::parameter, 0, 14, 0}},
             single(west_port(0), {Kind::token_row, 2, 0, 0}),
             single(west_port(0), {Kind::target, 0, 0, 0})};
  WeightStreamer streamer({&call}, small_timing(), store);
  streamer.begin_step(50, small_batch(), 1.0f);
  EXPECT_EQ(streamer.peek(0)->ready_cycle, never);
  // Of sixteen blocks the weights are in number 0 and 8, and the target, which is sent ahead, in 0; the others have none and leave at once.
  for (int block = 0; block < 16; ++block) streamer.set_read(0, block, 60 + static_cast<std::uint64_t>(block), 7, 55);
  std::vector<WeightStreamer::Left> empty = streamer.take_left();
  EXPECT_EQ(empty.size(), 14u);
  EXPECT_EQ(empty.front(), (WeightStreamer::Left{0, 1, 55}));
  std::vector<std::uint64_t> ready;
  for (std::uint64_t cycle = 80; const InWord* word = streamer.peek(0); ++cycle) {
    EXPECT_EQ(word->step_cycle, 50u);
    EXPECT_EQ(word->update_wait, 7u);
    ready.push_back(word->ready_cycle);
    streamer.pop(0, cycle);
  }
  EXPECT_EQ(ready, (std::vector<std::uint64_t>{60, 68, 60}));
  EXPECT_EQ(streamer.take_left(), (std::vector<WeightStreamer::Left>{{0, 8, 81}, {0, 0, 82}}));
}

TEST(WeightStreamer, RefusesAnElementBeyondTheStore) {
  const ParameterStore store = small_store();
  CallStream call;
  call.in = {single(west_port(0), {Kind::parameter, 0, 17, 0})};
  WeightStreamer streamer({&call}, small_timing(), store);
  streamer.begin_step(0, small_batch(), 1.0f);
  EXPECT_THROW(streamer.peek(0), sim::Error);
}

TEST(WeightStreamer, SendsWordsOfTokensOnceForEachSystemAndAllOthersOnce) {
  const ParameterStore store = small_store();
  CallStream call;
  call.in = {single(west_port(0), {Kind::parameter, 0, 15, 0}), single(west_port(0), {Kind::target, 0, 0, 1}),
             single(west_port(0), {Kind::target, 0, 0, none}), single(west_port(0), {Kind::token_row, 2, 0, 0})};
  WeightStreamer streamer({&call}, small_timing(), store, 1, 2);
  streamer.begin_step(0, small_batch(), 1.0f);
  EXPECT_EQ(streamer.words_left(), 6u);
  std::vector<int> systems;
  std::vector<std::uint32_t> words;
  while (const InWord* word = streamer.peek(0)) {
    systems.push_back(word->system);
    words.push_back(word->bits);
    streamer.pop(0, 0);
  }
  EXPECT_EQ(systems, (std::vector<int>{all_systems, 0, 1, all_systems, 0, 1}));
  EXPECT_EQ(words, (std::vector<std::uint32_t>{bits(16.0f), 1, 1, none, bits(3.0f), bits(1.0f)}));  // targets 1 and 4, ids 1 and 0
  EXPECT_TRUE(streamer.finished());
}

}  // namespace
}  // namespace wafersim::memoryx
