// Words that wait for another call's start at the corner of the wafer; what an edge of it shows of its channels.
#include "models/block_flow.h"

#include <gtest/gtest.h>

namespace wafersim::models {
namespace {

constexpr double queue = 50, start = 9, words = 300;

// One row, a word a cycle.
memoryx::LinkTiming one_row() {
  memoryx::LinkTiming timing;
  timing.rows = timing.pitch = timing.channels_per_edge = 1;
  timing.word_numerator = 1;
  timing.latency_cycles = 10;
  return timing;
}

// A call's start and `others`, at the west alone; behind the port is room for `starts` words of starts and for 400 of the others.
LinkLoad call_with(double others, double starts) {
  LinkLoad load;
  load.in = {{{{.ports = 1, .words = {start, 0, others, 0}, .places = {starts, 0, 400, 0}, .queue = queue}}}, {}};
  load.has_in = others > 0;
  return load;
}

// When the words of a call are on the link if the call before it, which is only a start, begins at 1000.
double sent_behind_a_start(double starts) {
  const LinkLoad first = call_with(0, starts), second = call_with(words, starts);
  InFlow flow(one_row());
  flow.offer(first, 0, 1, {});
  flow.offer(second, 0, 1, {});
  flow.consume(1000, 500);
  flow.next_sent();
  return flow.next_sent().value().end;
}

TEST(InFlow, WordsPassAStartThatHasRoomBehindThePort) { EXPECT_EQ(sent_behind_a_start(2 * start), start + start + words); }

TEST(InFlow, WordsWaitBehindAStartUntilTheCallBeforeHasBegun) {
  // The queue is full until 1000; what had no room follows, a word a cycle.
  EXPECT_EQ(sent_behind_a_start(start), 1000 + start + words - queue);
}

TEST(InFlow, AnEdgesWordsSpanNoMoreThanTheChannelThatStandsForItsOthers) {
  memoryx::LinkTiming two_rows = one_row();
  two_rows.rows = two_rows.channels_per_edge = 2;
  const LinkLoad::Channel channel = call_with(words, start).in[0];
  for (const std::size_t other : {0, 1}) {  // before it, behind it
    LinkLoad load;
    load.in.assign(4, {});
    load.in[0] = load.in[1] = channel;
    load.in[other].like = static_cast<int>(1 - other);
    InFlow flow(two_rows);
    flow.offer(load, 0, 1, {.begin = 1000});
    const LinkSpan edge = flow.consume(0, 1).edges[west_edge];
    EXPECT_EQ(edge.words, 2 * (start + words));
    EXPECT_EQ(edge.first, 1000);
    EXPECT_EQ(edge.last, 1000 + start + words);
  }
}

}  // namespace
}  // namespace wafersim::models
