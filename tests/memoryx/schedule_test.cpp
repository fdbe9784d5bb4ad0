#include "memoryx/schedule.h"

#include <cmath>
#include <gtest/gtest.h>

namespace wafersim::memoryx {
namespace {

TEST(Schedule, ConstantIsThePeakAtEveryStep) {
  const ScheduleSpec spec;
  EXPECT_EQ(learning_rate(spec, 3e-3, 0), 3e-3);
  EXPECT_EQ(learning_rate(spec, 3e-3, 1000000), 3e-3);
}

TEST(Schedule, WarmUpRisesInEqualStepsToThePeak) {
  const ScheduleSpec spec{ScheduleSpec::Kind::constant, 4, 0, 0.0};
  for (int step = 0; step < 4; ++step) EXPECT_DOUBLE_EQ(learning_rate(spec, 1.0, step), (step + 1) / 5.0);
  EXPECT_EQ(learning_rate(spec, 1.0, 4), 1.0);
}

TEST(Schedule, CosineFollowsHalfAWaveBetweenPeakAndMinimum) {
  const ScheduleSpec spec{ScheduleSpec::Kind::cosine, 10, 110, 0.1};
  for (int step = 10; step <= 110; ++step)
    EXPECT_NEAR(learning_rate(spec, 1.0, step), 0.1 + 0.45 * (1.0 + std::cos(M_PI * (step - 10) / 100.0)), 1e-15) << step;
}

TEST(Schedule, CosineStaysAtTheMinimumAfterItsEnd) {
  const ScheduleSpec spec{ScheduleSpec::Kind::cosine, 2, 5, 0.25};
  EXPECT_EQ(learning_rate(spec, 1.0, 5), 0.25);
  EXPECT_EQ(learning_rate(spec, 1.0, 500), 0.25);
}

TEST(Schedule, CosineThatEndsWithinTheWarmUpGoesStraightToTheMinimum) {
  const ScheduleSpec spec{ScheduleSpec::Kind::cosine, 5, 5, 0.25};
  EXPECT_DOUBLE_EQ(learning_rate(spec, 1.2, 4), 1.0);
  EXPECT_EQ(learning_rate(spec, 1.2, 5), 0.25);
}

}  // namespace
}  // namespace wafersim::memoryx
