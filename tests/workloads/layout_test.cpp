#include "workloads/layout.h"

#include <gtest/gtest.h>
#include <set>
#include <utility>

namespace wafersim::workloads {
namespace {

TEST(FeatureMap, ContiguousFeaturesFillColumnsInOrderAndPadTheLast) {
  const FeatureMap map = contiguous_features(7, 3);
  EXPECT_EQ(map.per_column, 3);
  EXPECT_EQ(map.feature, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, -1, -1}));
  EXPECT_EQ(map.valid(0), 3);
  EXPECT_EQ(map.valid(2), 1);
}

TEST(FeatureMap, ColumnsBeyondTheFeaturesAreAllPadding) {
  const FeatureMap map = contiguous_features(5, 4);
  EXPECT_EQ(map.per_column, 2);
  EXPECT_EQ(map.valid(2), 1);
  EXPECT_EQ(map.valid(3), 0);
}

TEST(FeatureMap, StackedPartsLieSideBySideInEveryColumn) {
  const FeatureMap map = stack_features(contiguous_features(3, 2), 2, 3);
  EXPECT_EQ(map.per_column, 4);
  EXPECT_EQ(map.feature, (std::vector<int>{0, 1, 3, 4, 2, -1, 5, -1}));
  EXPECT_EQ(map.valid(1), 2);
}

Layout padded() {
  Layout layout;
  layout.lanes = 2;
  layout.columns = 6;
  layout.rows = 8;
  layout.batch = 3;
  layout.sequence = 10;
  layout.heads = 3;
  layout.columns_per_head = 2;
  layout.samples_per_lane = 2;
  layout.rows_per_sequence = 3;
  layout.tokens_per_pe = 4;
  return layout;
}

TEST(Layout, EveryTokenHasExactlyOneSlotInTheLaneOfItsSample) {
  const Layout layout = padded();
  std::set<std::pair<int, int>> seen;
  for (int lane = 0; lane < layout.lanes; ++lane)
    for (int row = 0; row < layout.rows; ++row)
      for (int slot = 0; slot < layout.tokens_per_pe; ++slot) {
        const Layout::Token token = layout.token(lane, row, slot);
        if (token.sample < 0) continue;
        EXPECT_EQ(token.sample / layout.samples_per_lane, lane);
        EXPECT_TRUE(layout.row_in_sequence(row));
        EXPECT_TRUE(seen.insert({token.sample, token.position}).second);
      }
  EXPECT_EQ(seen.size(), 30u);
}

TEST(Layout, TokensAreStripedOverTheRowsOfTheirSequence) {
  const Layout layout = padded();
  const Layout::Token token = layout.token(1, 2, 2);
  EXPECT_EQ(token.sample, 2);
  EXPECT_EQ(token.position, 8);
  EXPECT_EQ(layout.token(1, 1, 3).sample, -1);  // position 10 of 10
  EXPECT_EQ(layout.token(1, 3, 0).sample, -1);  // sample 3 of 3
  EXPECT_EQ(layout.token(0, 6, 0).sample, -1);  // a spare row
  EXPECT_FALSE(layout.row_in_sequence(6));
}

TEST(Layout, FeederRowsSpreadOverTheRowsAndGradientsLeaveThereFromOddColumnsMirrored) {
  const Layout layout = padded();
  const int feeders[] = {0, 1, 2, 4, 5, 6}, gradients[] = {0, 6, 2, 4, 5, 1};
  for (int c = 0; c < 6; ++c) {
    EXPECT_EQ(layout.feeder_row(c), feeders[c]);
    EXPECT_EQ(layout.gradient_row(c), gradients[c]);
  }
}

TEST(Layout, GradientsOfEveryColumnLeaveAtARowOfTheirOwn) {
  for (int columns = 1; columns < 8; ++columns)
    for (int rows = columns; rows < 20; ++rows) {
      Layout layout = padded();
      layout.columns = columns;
      layout.rows = rows;
      std::set<int> taken;
      for (int c = 0; c < columns; ++c) {
        EXPECT_LT(layout.gradient_row(c), rows);
        EXPECT_TRUE(taken.insert(layout.gradient_row(c)).second) << c << " of " << columns << " x " << rows;
      }
    }
}

}  // namespace
}  // namespace wafersim::workloads
