// The orders of the sums that cross PEs, with values whose fp32 sum depends on the order.

#include <cmath>
#include <gtest/gtest.h>

#include "workloads/reference/tiles.h"

namespace wafersim::workloads::reference {
namespace {

constexpr float big = 67108864.0f;  // 2^26: what is added to it or taken from it is lost below 3

Layout layout_of(int lanes, int columns, int rows) {
  Layout layout;
  layout.lanes = lanes;
  layout.columns = columns;
  layout.rows = layout.rows_per_sequence = rows;
  layout.tokens_per_pe = 1;
  return layout;
}

TEST(RingSum, StartsBehindTheOwnerAndEndsWithIt) {
  const std::vector<float> parts = {big, 1.0f, 1.0f, -big};
  const auto sum = [&](int owner) {
    float out = 0.0f;
    ring_sum(&out, parts.data(), 4, owner, 1);
    return out;
  };
  EXPECT_EQ(sum(0), 0.0f);  // ((1 + 1) - big) + big
  EXPECT_EQ(sum(1), 1.0f);  // ((1 - big) + big) + 1
  EXPECT_EQ(sum(2), 2.0f);  // ((-big + big) + 1) + 1
  EXPECT_EQ(sum(3), 0.0f);  // ((big + 1) + 1) - big
}

TEST(RingSum, OfOneMemberIsItsPart) {
  const float part = 3.0f;
  float out = 0.0f;
  ring_sum(&out, &part, 1, 0, 1);
  EXPECT_EQ(out, 3.0f);
}

TEST(AllReduce, ChainsAscendingFromTheFirstColumnAndReachesEveryColumn) {
  const Layout layout = layout_of(1, 5, 1);
  Tiles tiles(layout, 1);
  const float values[] = {7.0f, big, 1.0f, -big, 9.0f};
  for (int c = 0; c < 5; ++c) *tiles.at(0, 0, c) = values[c];
  all_reduce_sum(tiles, 1, 3, 0);
  EXPECT_EQ(tiles.values(), (std::vector<float>{7.0f, 0.0f, 0.0f, 0.0f, 9.0f}));
  for (int c = 0; c < 5; ++c) *tiles.at(0, 0, c) = values[c];
  all_reduce_max(tiles, 0, 3, 0);
  EXPECT_EQ(tiles.values(), (std::vector<float>{big, big, big, -big, 9.0f}));
}

TEST(LeavingTheWafer, SumsAColumnInOneChainFromTheFirstRowOfTheFirstLaneToTheLastOfTheLast) {
  const auto sum = [](int lanes, const std::vector<float>& parts) {
    return leave_wafer(layout_of(lanes, 1, static_cast<int>(parts.size()) / lanes), parts);
  };
  EXPECT_EQ(sum(1, {big, 1.0f, 1.0f, -big}), 0.0f);
  EXPECT_EQ(sum(2, {big, -big, 1.0f, 1.0f}), 2.0f);
  EXPECT_EQ(sum(3, {big, -big, 3.0f}), 3.0f);
}

TEST(LeavingTheWafer, AddsTheRowsOutsideAnySequenceOneByOneInTheirPlaces) {
  Layout layout = layout_of(2, 1, 5);
  layout.rows_per_sequence = 1;  // of each lane four rows are outside and alike
  // big + 5 rounds to big + 8, four times; a sum of the four fives would give big + 24.
  EXPECT_EQ(leave_wafer(layout, std::vector<float>{big, 5.0f, -big, 0.0f}), 32.0f);
  EXPECT_EQ(leave_wafer(layout, std::vector<float>{1.0f, 0.0f, 2.0f, 0.5f}), 5.0f);
  EXPECT_FALSE(std::signbit(leave_wafer(layout, std::vector<float>{-0.0f, 0.0f, -0.0f, -0.0f})));
  EXPECT_TRUE(std::signbit(leave_wafer(layout, std::vector<float>{-0.0f, -0.0f, -0.0f, -0.0f})));
}

TEST(Tiles, KeepTheTokensOfAFeatureTogetherSlotsInRowsInLanes) {
  Layout layout = layout_of(2, 3, 4);
  layout.tokens_per_pe = 5;
  const Tiles tiles(layout, 6);
  EXPECT_EQ(tiles.values().size(), 2u * 4 * 3 * 6 * 5);
  EXPECT_EQ(tiles.tokens(), 40u);
  EXPECT_EQ(tiles.at(0, 1, 0) - tiles.at(0, 0, 0), 5);
  EXPECT_EQ(tiles.at(1, 0, 0) - tiles.at(0, 0, 0), 20);
  EXPECT_EQ(tiles.at(0, 0, 0, 1) - tiles.at(0, 0, 0, 0), 40);
  EXPECT_EQ(tiles.at(0, 0, 1) - tiles.at(0, 0, 0), 240);
}

TEST(Tiles, HoldTheFirstOfTheRowsOutsideAnySequenceForAllOfThem) {
  Layout layout = layout_of(1, 1, 9);
  layout.rows_per_sequence = 2;
  layout.samples_per_lane = 2;
  const Tiles tiles(layout, 1);
  EXPECT_EQ(tiles.tokens(), 5u);
  EXPECT_EQ(tiles.at(0, 4, 0), tiles.at(0, 8, 0));
  EXPECT_NE(tiles.at(0, 3, 0), tiles.at(0, 4, 0));
}

TEST(Rounding, ToSinglePrecisionChangesNothingToHalfRoundsToNearestEven) {
  std::vector<float> values = {1.0f + 0x1p-11f, 1.0f + 0x1.8p-10f, 0.1f};
  const std::vector<float> before = values;
  round_to(sim::Dtype::f32, values.data(), values.size());
  EXPECT_EQ(values, before);
  round_to(sim::Dtype::f16, values.data(), values.size());
  EXPECT_EQ(values, (std::vector<float>{1.0f, 1.0f + 0x1p-9f, 0.0999755859375f}));
}

}  // namespace
}  // namespace wafersim::workloads::reference
