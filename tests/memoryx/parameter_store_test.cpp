#include "memoryx/parameter_store.h"

#include <cmath>
#include <gtest/gtest.h>

#include "sim/error.h"

namespace wafersim::memoryx {
namespace {

ParameterTable small_table() {
  ParameterTable table;
  table.add("matrix", {100, 100}, ParameterEntry::Initial::normal);
  table.add("gain", {7}, ParameterEntry::Initial::one);
  table.add("bias", {5}, ParameterEntry::Initial::zero);
  return table;
}

TEST(ParameterTable, LaysTensorsEndToEndInTheOrderOfAddition) {
  const ParameterTable table = small_table();
  EXPECT_EQ(table[0].offset, 0u);
  EXPECT_EQ(table[1].offset, 10000u);
  EXPECT_EQ(table[2].offset, 10007u);
  EXPECT_EQ(table.size(), 10012u);
  EXPECT_EQ(table.find("bias"), 2);
  EXPECT_EQ(table.find("nothing"), -1);
}

TEST(ParameterTable, DecaysOnlyTensorsOfTwoOrMoreDimensions) {
  const ParameterTable table = small_table();
  EXPECT_TRUE(table[0].decayed);
  EXPECT_FALSE(table[1].decayed);
  EXPECT_FALSE(table[2].decayed);
}

TEST(ParameterTable, RefusesANameTwice) {
  ParameterTable table = small_table();
  EXPECT_THROW(table.add("gain", {7}, ParameterEntry::Initial::one), sim::Error);
}

TEST(ParameterStore, InitialisesMatricesNormallyGainsToOneAndBiasesToZero) {
  ParameterStore store(small_table());
  store.initialise(3);
  double sum = 0.0;
  double squares = 0.0;
  for (int e = 0; e < 10000; ++e) {
    sum += store.weights()[static_cast<std::size_t>(e)];
    squares += std::pow(store.weights()[static_cast<std::size_t>(e)], 2);
  }
  EXPECT_NEAR(sum / 10000, 0.0, 4 * 0.02 / 100);
  EXPECT_NEAR(std::sqrt(squares / 10000), 0.02, 4 * 0.02 / std::sqrt(2e4));
  for (std::size_t e = 10000; e < 10007; ++e) EXPECT_EQ(store.weights()[e], 1.0f);
  for (std::size_t e = 10007; e < 10012; ++e) EXPECT_EQ(store.weights()[e], 0.0f);
}

TEST(ParameterStore, TheSameSeedGivesTheSameWeightsAndAnotherSeedOthers) {
  ParameterStore a(small_table());
  ParameterStore b(small_table());
  ParameterStore c(small_table());
  a.initialise(3);
  b.initialise(3);
  c.initialise(4);
  EXPECT_EQ(a.weights(), b.weights());
  EXPECT_NE(a.weights(), c.weights());
}

TEST(ParameterStore, TheDeviationScalesTheNormalWeights) {
  ParameterStore a(small_table());
  ParameterStore b(small_table());
  a.initialise(3, 0.125);
  b.initialise(3, 0.25);
  for (std::size_t e = 0; e < 10000; ++e) ASSERT_EQ(2.0f * a.weights()[e], b.weights()[e]);
}

}  // namespace
}  // namespace wafersim::memoryx
