#include "memoryx/call_span.h"

#include <gtest/gtest.h>

namespace wafersim::memoryx {
namespace {

TEST(CallSpan, ReachesFromTheFirstToTheLastWordOfACall) {
  std::vector<CallSpan> spans;
  for (const std::uint64_t cycle : {5u, 7u, 9u}) count_word(spans, 2, cycle, cycle + 2);
  count_word(spans, 4, 20, 22);
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[0].call, 2);
  EXPECT_EQ(spans[0].first, 5u);
  EXPECT_EQ(spans[0].last, 11u);
  EXPECT_EQ(spans[0].words, 3u);
  EXPECT_EQ(spans[1].first, 20u);
  EXPECT_EQ(spans[1].words, 1u);
}

TEST(CallSpan, CountsALateWordOfAnEarlierCallWithoutStretchingIt) {
  std::vector<CallSpan> spans;
  count_word(spans, 0, 1, 2);
  count_word(spans, 1, 2, 3);
  count_word(spans, 0, 3, 4);
  EXPECT_EQ(spans[0].words, 2u);
  EXPECT_EQ(spans[0].last, 2u);
  EXPECT_EQ(spans[1].words, 1u);
}

}  // namespace
}  // namespace wafersim::memoryx
