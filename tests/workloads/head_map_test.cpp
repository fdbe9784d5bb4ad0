#include "workloads/head_map.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <set>

#include "workloads/linear_place.h"
#include "workloads/op.h"

namespace wafersim::workloads {
namespace {

ModelShape with_heads(Family family, int heads, int head, int rotary) {
  ModelShape shape;
  shape.family = family;
  shape.width = heads * head;
  shape.heads = heads;
  shape.rotary = rotary;
  shape.vocabulary = shape.inner = 5;
  shape.layers = shape.positions = 1;
  return shape;
}

Layout columns_of(int heads, int columns_per_head) {
  Layout layout;
  layout.heads = heads;
  layout.columns_per_head = columns_per_head;
  layout.columns = heads * columns_per_head;
  return layout;
}

TEST(HeadMap, AHeadWithoutRotationFillsItsColumnsInOrder) {
  const HeadMap map = head_map(with_heads(Family::gpt2, 2, 5, 0), 2);
  EXPECT_EQ(map.rows, 3);
  EXPECT_EQ(map.feature, (std::vector<int>{0, 1, 2, 3, 4, -1}));
}

TEST(HeadMap, PartnersAreNeighboursOrHalfTheRotatedFeaturesApart) {
  EXPECT_EQ(head_map(with_heads(Family::gptj, 1, 6, 4), 2).feature, (std::vector<int>{0, 1, 4, 2, 3, 5}));
  EXPECT_EQ(head_map(with_heads(Family::llama, 1, 6, 6), 2).feature, (std::vector<int>{0, 3, 1, 4, 2, 5, -1, -1}));
  EXPECT_EQ(head_map(with_heads(Family::gpt_neox, 1, 6, 4), 1).feature, (std::vector<int>{0, 2, 1, 3, 4, 5}));
}

TEST(HeadMap, EveryPairSharesAColumnAndEveryFeatureHasOnePlace) {
  for (const Family family : {Family::gptj, Family::gpt_neox})
    for (int head = 2; head <= 12; ++head)
      for (int rotary = 2; rotary <= head; rotary += 2)
        for (int columns = 1; columns <= head; ++columns) {
          const HeadMap map = head_map(with_heads(family, 1, head, rotary), columns);
          std::set<int> seen;
          for (int c = 0; c < columns; ++c) {
            for (int pair = 0; pair < map.pairs_of(c); ++pair)
              EXPECT_EQ(map.at(c, 2 * pair + 1) - map.at(c, 2 * pair), family == Family::gptj ? 1 : rotary / 2);
            for (int i = 0; i < map.rows; ++i) {
              if (map.at(c, i) < 0) continue;
              EXPECT_TRUE(seen.insert(map.at(c, i)).second);
            }
          }
          EXPECT_EQ(static_cast<int>(seen.size()), head);
        }
}

TEST(HeadMap, FrequenciesFallFromOneByEqualFactors) {
  const std::vector<float> f = rotary_frequencies(with_heads(Family::llama, 1, 64, 64));
  ASSERT_EQ(f.size(), 32u);
  for (std::size_t pair = 0; pair < f.size(); ++pair)
    EXPECT_FLOAT_EQ(f[pair], static_cast<float>(std::pow(10000.0, -2.0 * static_cast<double>(pair) / 64.0)));
}

TEST(QkvFeatures, AreNumberedAsTheFamilysMatrixHasThem) {
  const Layout layout = columns_of(2, 1);
  const auto numbers = [&](Family family) { return feature_map(Features::qkv, with_heads(family, 2, 2, 2), layout).feature; };
  EXPECT_EQ(numbers(Family::gptj), (std::vector<int>{0, 1, 4, 5, 8, 9, 2, 3, 6, 7, 10, 11}));
  EXPECT_EQ(numbers(Family::gpt_neox), (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
}

TEST(QkvFeatures, GroupedKeysHaveOnePlaceEachAndRowsOfTilesAgree) {
  for (const int group : {2, 3, 6})
    for (const int columns : {1, 2, 3, 5}) {
      ModelShape shape = with_heads(Family::llama, 6, 8, 8);
      shape.kv_heads = 6 / group;
      const Layout layout = columns_of(6, columns);
      const FeatureMap map = feature_map(Features::grouped_qkv, shape, layout);
      std::set<int> seen;
      for (const int f : map.feature) {
        if (f < 0) continue;
        EXPECT_TRUE(seen.insert(f).second) << f;
      }
      EXPECT_EQ(static_cast<int>(seen.size()), feature_count(Features::grouped_qkv, shape));
      for (const Features f : {Features::heads, Features::qkv, Features::grouped_qkv, Features::gate_up})
        EXPECT_EQ(tile_rows(f, shape, layout), feature_map(f, shape, layout).per_column);
    }
}

TEST(LinearPlace, FindsWeightsAndBiasesOfMatricesSideBySide) {
  using Initial = memoryx::ParameterEntry::Initial;
  memoryx::ParameterTable table;
  table.add("q", {2, 3}, Initial::normal);  // [out][in]: two outputs
  table.add("k", {1, 3}, Initial::normal);
  table.add("bq", {2}, Initial::zero);
  table.add("bk", {1}, Initial::zero);
  const LinearPlace place(table, {0, 1, 2, 3}, MatrixOrder::out_in), one(table, {0}, MatrixOrder::in_out);
  EXPECT_EQ(place.weight(2, 1), 5u);
  EXPECT_EQ(place.weight(1, 2), 7u);
  EXPECT_TRUE(place.has_bias());
  EXPECT_EQ(place.bias(1), 10u);
  EXPECT_EQ(place.bias(2), 11u);
  EXPECT_EQ(one.weight(1, 2), 5u);
  EXPECT_FALSE(one.has_bias());
}

}  // namespace
}  // namespace wafersim::workloads
