#include "memoryx/loss_scale.h"

#include <gtest/gtest.h>

namespace wafersim::memoryx {
namespace {

TEST(LossScale, DoublesAfterTheGrowthIntervalAndCountsAnew) {
  LossScale scale({64.0, 3, true});
  for (int good = 0; good < 2; ++good) scale.update(false);
  EXPECT_EQ(scale.value(), 64.0);
  scale.update(false);
  EXPECT_EQ(scale.value(), 128.0);
  for (int good = 0; good < 2; ++good) scale.update(false);
  EXPECT_EQ(scale.value(), 128.0);
  scale.update(false);
  EXPECT_EQ(scale.value(), 256.0);
}

TEST(LossScale, HalvesOnOverflowAndForgetsTheGoodSteps) {
  LossScale scale({64.0, 3, true});
  scale.update(false);
  scale.update(false);
  scale.update(true);
  EXPECT_EQ(scale.value(), 32.0);
  scale.update(false);
  scale.update(false);
  EXPECT_EQ(scale.value(), 32.0);
  scale.update(false);
  EXPECT_EQ(scale.value(), 64.0);
}

TEST(LossScale, StaysWhenItIsNotDynamic) {
  LossScale scale(no_loss_scale());
  scale.update(true);
  scale.update(false);
  scale.update(false);
  EXPECT_EQ(scale.value(), 1.0);
}

}  // namespace
}  // namespace wafersim::memoryx
