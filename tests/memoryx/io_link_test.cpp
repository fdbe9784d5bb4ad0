#include "memoryx/io_link.h"

#include <gtest/gtest.h>
#include <map>
#include <utility>

#include "sim/error.h"

namespace wafersim::memoryx {
namespace {

constexpr auto west = Port::Side::west;
constexpr auto east = Port::Side::east;

// 36 rows: two channels of 18 rows an edge. 8 / 3 cycles a word, 10 cycles of latency, 4 more along the edge.
LinkTiming timing_8_3() {
  LinkTiming timing;
  timing.rows = 36;
  timing.pitch = 18;
  timing.channels_per_edge = 2;
  timing.word_numerator = 8;
  timing.word_denominator = 3;
  timing.latency_cycles = 10;
  timing.edge_latency_cycles = 4;
  return timing;
}

class ListSource : public InSource {
 public:
  explicit ListSource(const LinkTiming& timing) : words_(static_cast<std::size_t>(timing.channels())), timing_(timing) {}
  void add(Port port, std::uint32_t bits, std::uint64_t ready = 0, std::uint64_t step = 0, std::uint64_t update_wait = 0) {
    words_[static_cast<std::size_t>(timing_.channel_of(port))].push_back({port, 0, bits, ready, step, update_wait});
  }
  const InWord* peek(int channel) override {
    const auto& queue = words_[static_cast<std::size_t>(channel)];
    return queue.empty() ? nullptr : &queue.front();
  }
  void pop(int channel, std::uint64_t) override { words_[static_cast<std::size_t>(channel)].pop_front(); }

 private:
  std::vector<std::deque<InWord>> words_;
  LinkTiming timing_;
};

struct Arrival {
  std::uint64_t cycle;
  Port port;
  std::uint32_t bits;
  friend bool operator==(const Arrival&, const Arrival&) = default;
};

class ListSink : public OutSink {
 public:
  void arrive(Port port, std::uint8_t, std::uint32_t bits, std::uint64_t cycle) override { arrivals.push_back({cycle, port, bits}); }
  std::vector<Arrival> arrivals;
};

// Steps every cycle up to `end`; every port takes what it is offered unless `refuse(cycle)` says no.
template <class Refuse>
std::vector<Arrival> drain(InLink& link, std::uint64_t end, Refuse&& refuse) {
  std::vector<Arrival> arrivals;
  for (std::uint64_t cycle = 0; cycle < end; ++cycle) {
    link.step(cycle);
    link.deliver(cycle, [&](const InWord& word) {
      if (refuse(cycle)) return false;
      arrivals.push_back({cycle, word.port, word.bits});
      return true;
    });
  }
  return arrivals;
}

std::vector<Arrival> drain(InLink& link, std::uint64_t end) {
  return drain(link, end, [](std::uint64_t) { return false; });
}

TEST(InLink, AWordArrivesAfterItsSerialisationAndTheLatencies) {
  ListSource source(timing_8_3());
  source.add({west, 3}, 7);
  InLink link(timing_8_3(), 4, source);
  link.step(0);
  EXPECT_EQ(link.next_event(0), 17u);  // ceil(8 / 3) + 10 + 4
  EXPECT_EQ(link.front({west, 3}, 16), nullptr);
  ASSERT_NE(link.front({west, 3}, 17), nullptr);
  EXPECT_EQ(link.front({west, 3}, 17)->bits, 7u);
  EXPECT_EQ(link.front({east, 3}, 17), nullptr);
}

TEST(InLink, WordNOfABusyPeriodEndsAtItsExactShareOfTheRate) {
  ListSource source(timing_8_3());
  for (std::uint32_t n = 0; n < 3000; ++n) source.add({west, 0}, n);
  InLink link(timing_8_3(), 100, source);
  const auto arrivals = drain(link, 9000);
  ASSERT_EQ(arrivals.size(), 3000u);
  for (std::uint32_t n = 0; n < 3000; ++n) {
    EXPECT_EQ(arrivals[n].cycle, ((n + 1) * 8 + 2) / 3 + 14);
    EXPECT_EQ(arrivals[n].bits, n);
  }
  EXPECT_EQ(link.counters(0, 9000).words, 3000u);
  EXPECT_EQ(link.counters(0, 9000).busy_cycles, 8000u);
  EXPECT_EQ(link.counters(0, 9000).credit_stall_cycles, 0u);
  EXPECT_TRUE(link.idle());
}

TEST(InLink, MoreThanAWordACycleArrivesInTheSameCycle) {
  LinkTiming timing = timing_8_3();
  timing.word_numerator = 1;
  timing.word_denominator = 2;
  ListSource source(timing);
  for (std::uint16_t row = 0; row < 4; ++row) source.add({west, row}, row);
  InLink link(timing, 4, source);
  const auto arrivals = drain(link, 30);
  const std::vector<Arrival> expected = {{15, {west, 0}, 0}, {15, {west, 1}, 1}, {16, {west, 2}, 2}, {16, {west, 3}, 3}};
  EXPECT_EQ(arrivals, expected);
}

TEST(InLink, AWordIsVisibleOnlyAfterTheCycleThatSentItEvenWithoutAnyLatency) {
  LinkTiming timing = timing_8_3();
  timing.word_numerator = 1;
  timing.word_denominator = 1000;
  timing.latency_cycles = 0;
  timing.edge_latency_cycles = 0;
  ListSource source(timing);
  for (std::uint32_t n = 0; n < 3; ++n) source.add({west, 0}, n);
  InLink link(timing, 4, source);
  link.step(5);
  EXPECT_EQ(link.front({west, 0}, 5), nullptr);
  ASSERT_NE(link.front({west, 0}, 6), nullptr);
}

TEST(InLink, TwoPortsOfOneChannelShareItsRateAndTwoChannelsDoNot) {
  ListSource source(timing_8_3());
  for (std::uint32_t n = 0; n < 3; ++n) {
    source.add({west, 0}, n);
    source.add({west, 17}, 100 + n);
    source.add({east, 0}, 200 + n);
  }
  InLink link(timing_8_3(), 8, source);
  std::map<std::uint32_t, std::uint64_t> cycle_of;
  for (const Arrival& arrival : drain(link, 60)) cycle_of[arrival.bits] = arrival.cycle;
  const std::map<std::uint32_t, std::uint64_t> expected = {{0, 17},   {100, 20}, {1, 22},   {101, 25}, {2, 28},
                                                           {102, 30}, {200, 17}, {201, 20}, {202, 22}};
  EXPECT_EQ(cycle_of, expected);
}

TEST(InLink, AWordWithoutRoomAtItsPortStopsItsChannelUntilTheCycleAfterAPop) {
  ListSource source(timing_8_3());
  for (std::uint32_t n = 0; n < 3; ++n) source.add({west, 0}, n);
  source.add({west, 1}, 50);  // waits behind the third word for row 0
  InLink link(timing_8_3(), 2, source);
  const auto arrivals = drain(link, 200, [](std::uint64_t cycle) { return cycle < 40; });
  // Words 0 and 1 take the two places. The channel is free at 16 / 3 -> 6 and waits; the pop at 40 lets word 2 start at 41.
  const std::vector<Arrival> expected = {{40, {west, 0}, 0}, {41, {west, 0}, 1}, {41 + 3 + 14, {west, 0}, 2}, {41 + 6 + 14, {west, 1}, 50}};
  EXPECT_EQ(arrivals, expected);
  EXPECT_EQ(link.counters(0, 200).credit_stall_cycles, 41u - 6u);
}

TEST(InLink, SaysWhichPortAChannelWaitsForAndForHowLong) {
  ListSource source(timing_8_3());
  source.add({west, 5}, 0);
  source.add({west, 5}, 1);
  InLink link(timing_8_3(), 1, source);
  for (std::uint64_t cycle = 0; cycle <= 30; ++cycle) link.step(cycle);
  ASSERT_TRUE(link.blocked(0).has_value());
  EXPECT_EQ(*link.blocked(0), (Port{west, 5}));
  EXPECT_FALSE(link.blocked(2).has_value());
  EXPECT_EQ(link.counters(0, 30).credit_stall_cycles, 27u);  // from ceil(8 / 3)
  EXPECT_EQ(link.next_event(30), never);
  link.pop({west, 5}, 30);
  EXPECT_EQ(link.next_event(30), 31u);
}

TEST(InLink, StepAndPopOfACycleCommute) {
  for (const bool pop_first : {false, true}) {
    ListSource source(timing_8_3());
    source.add({west, 0}, 0);
    source.add({west, 0}, 1);
    InLink link(timing_8_3(), 1, source);
    for (std::uint64_t cycle = 0; cycle < 20; ++cycle) link.step(cycle);
    if (pop_first) link.pop({west, 0}, 20);
    link.step(20);
    if (!pop_first) link.pop({west, 0}, 20);
    link.step(21);
    EXPECT_EQ(link.front({west, 0}, 21 + 16), nullptr);
    EXPECT_NE(link.front({west, 0}, 21 + 17), nullptr);
  }
}

TEST(InLink, AWordStartsWhenItsSourceHasIt) {
  ListSource source(timing_8_3());
  source.add({west, 0}, 0, 100);
  InLink link(timing_8_3(), 1, source);
  link.step(0);
  EXPECT_EQ(link.next_event(0), 100u);
  const auto arrivals = drain(link, 200);
  ASSERT_EQ(arrivals.size(), 1u);
  EXPECT_EQ(arrivals[0].cycle, 117u);
  EXPECT_EQ(link.counters(0, 200).credit_stall_cycles, 0u);
}

TEST(InLink, CountsTheCyclesInWhichAFreeChannelWaitsForAnUpdateOrForTheStore) {
  ListSource source(timing_8_3());
  source.add({west, 0}, 1, 100, 100);      // its step begins at 100
  source.add({west, 0}, 2, 150, 100, 40);  // the channel is free from 103 on
  source.add({west, 0}, 3, 152, 100);      // it is busy until 153
  InLink link(timing_8_3(), 8, source);
  drain(link, 200);
  EXPECT_EQ(link.counters(0, 200).words, 3u);
  EXPECT_EQ(link.counters(0, 200).update_wait_cycles, 40u);
  EXPECT_EQ(link.counters(0, 200).store_wait_cycles, 150u - 103 - 40);
}

TEST(InLink, FullRateWordsIsTheSmallestQueueThatNeverStallsAPortEmptiedAtOnce) {
  const auto stalls = [](int words) {
    ListSource source(timing_8_3());
    for (std::uint32_t n = 0; n < 200; ++n) source.add({west, 0}, n);
    InLink link(timing_8_3(), words, source);
    drain(link, 2000);
    return link.counters(0, 2000).credit_stall_cycles;
  };
  const int enough = static_cast<int>(timing_8_3().full_rate_words());
  EXPECT_EQ(stalls(enough), 0u);
  EXPECT_GT(stalls(enough - 1), 0u);
}

TEST(InLink, SteppingOnlyAtItsEventsGivesTheSameCyclesAsSteppingEveryCycle) {
  const auto fill = [](ListSource& source) {
    for (std::uint32_t n = 0; n < 40; ++n) source.add({west, static_cast<std::uint16_t>(n * 7 % 36)}, n, n * 5);
  };
  ListSource polled_source(timing_8_3());
  ListSource evented_source(timing_8_3());
  fill(polled_source);
  fill(evented_source);
  InLink polled(timing_8_3(), 2, polled_source);
  const auto expected = drain(polled, 1000);
  InLink evented(timing_8_3(), 2, evented_source);
  std::vector<Arrival> arrivals;
  for (std::uint64_t cycle = 0; cycle != never; cycle = evented.next_event(cycle)) {
    evented.step(cycle);
    evented.deliver(cycle, [&](const InWord& word) {
      arrivals.push_back({cycle, word.port, word.bits});
      return true;
    });
  }
  EXPECT_EQ(arrivals.size(), 40u);
  EXPECT_EQ(arrivals, expected);
}

TEST(InLink, RefusesAQueueWithoutRoomAndAWordOnTheWrongChannel) {
  ListSource source(timing_8_3());
  EXPECT_THROW(InLink(timing_8_3(), 0, source), sim::Error);
  class Wrong : public InSource {
   public:
    const InWord* peek(int) override { return &word_; }
    void pop(int, std::uint64_t) override {}

   private:
    InWord word_{{east, 0}, 0, 0, 0};
  } wrong;
  InLink link(timing_8_3(), 4, wrong);
  EXPECT_THROW(link.step(0), sim::Error);
}

TEST(InLink, RefusesToPopAWordThatHasNotArrived) {
  ListSource source(timing_8_3());
  source.add({west, 0}, 0);
  InLink link(timing_8_3(), 4, source);
  link.step(0);
  EXPECT_THROW(link.pop({west, 0}, 16), sim::Error);
}

TEST(OutLink, AWordArrivesACycleAfterItsPushPlusSerialisationAndLatencies) {
  ListSink sink;
  OutLink link(timing_8_3(), 2, sink);
  link.push({west, 2}, 5, 0, 9);
  EXPECT_EQ(link.next_event(5), 6u);
  for (std::uint64_t cycle = 5; cycle < 40; ++cycle) link.step(cycle);
  EXPECT_EQ(sink.arrivals, (std::vector<Arrival>{{5 + 1 + 3 + 14, {west, 2}, 9}}));
  EXPECT_TRUE(link.idle());
  EXPECT_EQ(link.counters(0).words, 1u);
  EXPECT_EQ(link.counters(0).busy_cycles, 2u);  // 8 / 3
}

TEST(OutLink, SendsInOrderOfPushWithRowsAscendingWithinACycleWhateverTheCallOrder) {
  ListSink sink;
  OutLink link(timing_8_3(), 4, sink);
  link.push({west, 9}, 0, 0, 1);
  link.push({west, 4}, 0, 0, 2);
  link.push({west, 6}, 0, 0, 3);
  link.step(0);
  link.push({west, 1}, 1, 0, 4);
  for (std::uint64_t cycle = 1; cycle < 60; ++cycle) link.step(cycle);
  const std::vector<Arrival> expected = {{18, {west, 4}, 2}, {21, {west, 6}, 3}, {23, {west, 9}, 1}, {26, {west, 1}, 4}};
  EXPECT_EQ(sink.arrivals, expected);
}

TEST(OutLink, APortIsFullUntilTheCycleAfterItsWordStarts) {
  ListSink sink;
  OutLink link(timing_8_3(), 1, sink);
  link.push({west, 0}, 0, 0, 1);
  EXPECT_FALSE(link.room({west, 0}, 0));
  EXPECT_TRUE(link.room({west, 1}, 0));
  EXPECT_THROW(link.push({west, 0}, 0, 0, 2), sim::Error);
  link.step(0);
  link.step(1);  // starts
  EXPECT_FALSE(link.room({west, 0}, 1));
  EXPECT_TRUE(link.room({west, 0}, 2));
}

TEST(OutLink, NWordsTakeTheirShareOfTheRateAndAllArriveOnceInOrder) {
  ListSink sink;
  OutLink link(timing_8_3(), 2, sink);
  std::uint32_t pushed[2] = {0, 0};
  const Port ports[2] = {{east, 0}, {east, 5}};
  std::uint64_t cycle = 0;
  for (; sink.arrivals.size() < 600; ++cycle) {
    ASSERT_LT(cycle, 3000u);
    link.step(cycle);
    for (std::uint32_t p = 0; p < 2; ++p) {
      if (pushed[p] < 300 && link.room(ports[p], cycle)) link.push(ports[p], cycle, 0, p * 1000 + pushed[p]++);
    }
  }
  EXPECT_TRUE(link.idle());
  EXPECT_EQ(sink.arrivals.back().cycle, 1u + 1600u + 14u);
  EXPECT_EQ(link.counters(2).busy_cycles, 1600u);
  std::uint32_t seen[2] = {0, 0};
  for (const Arrival& arrival : sink.arrivals) {
    const std::uint32_t p = arrival.port == ports[0] ? 0 : 1;
    EXPECT_EQ(arrival.bits, p * 1000 + seen[p]++);
  }
}

TEST(OutLink, HandsOverTheChannelsOfACycleInAscendingOrder) {
  ListSink sink;
  OutLink link(timing_8_3(), 2, sink);
  link.push({east, 0}, 0, 0, 1);
  link.push({west, 20}, 0, 0, 2);
  link.push({west, 0}, 0, 0, 3);
  for (std::uint64_t cycle = 0; cycle != never; cycle = link.next_event(cycle)) link.step(cycle);
  const std::vector<Arrival> expected = {{18, {west, 0}, 3}, {18, {west, 20}, 2}, {18, {east, 0}, 1}};
  EXPECT_EQ(sink.arrivals, expected);
}

TEST(OutLink, RefusesToSkipACycleInWhichAWordArrives) {
  ListSink sink;
  OutLink link(timing_8_3(), 2, sink);
  link.push({west, 0}, 0, 0, 1);
  link.step(1);
  EXPECT_THROW(link.step(100), sim::Error);
}

}  // namespace
}  // namespace wafersim::memoryx
