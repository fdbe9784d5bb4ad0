#include "models/energy.h"

#include <gtest/gtest.h>

namespace wafersim::models {
namespace {

TEST(Energy, IsTheSumOfEventsTimesTheirCoefficients) {
  const EnergySpec spec{1, 2, 3, 4, 5, 6, 7, 8};
  const Energy energy = energy_of(spec, {10, 1e12, 2e12, 3e12, 4e12, 5e12, 6e12});
  EXPECT_DOUBLE_EQ(energy.busy, 1);
  EXPECT_DOUBLE_EQ(energy.idle, 4);
  EXPECT_DOUBLE_EQ(energy.fabric, 9);
  EXPECT_DOUBLE_EQ(energy.link, 16);
  EXPECT_DOUBLE_EQ(energy.store, 5 * 5 + 6 * 6);
  EXPECT_DOUBLE_EQ(energy.system, 70);
  EXPECT_DOUBLE_EQ(energy.total(), 1 + 4 + 9 + 16 + 61 + 70);
}

// All cores of a WSE-2 busy all the time stay within what the system is rated for.
TEST(Energy, ABusyWaferStaysWithinTheRatedPower) {
  const EnergySpec spec;
  EnergyEvents second;
  second.seconds = 1;
  second.busy_cycles = 757.0 * 996 * 0.85e9;
  EXPECT_LT(energy_of(spec, second).total(), spec.rated_power_w);
  EXPECT_GT(energy_of(spec, second).total(), 15000);  // the typical power of a CS-2 [C]
}

}  // namespace
}  // namespace wafersim::models
