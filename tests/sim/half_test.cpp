#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <vector>

#include "sim/numerics/elementary.h"

namespace wafersim::sim::numerics {
namespace {

std::uint32_t bits(float x) { return std::bit_cast<std::uint32_t>(x); }

// The definition of binary16: (-1)^s 2^(e-15) (1 + m/1024), subnormals 2^-24 m.
double value_of(std::uint32_t magnitude) {
  const int exponent = static_cast<int>(magnitude >> 10);
  const double mantissa = magnitude & 1023u;
  return exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024.0 + mantissa, exponent - 25);
}

// Nearest of all fp16 magnitudes, ties to the even pattern; the pattern of infinity stands for 65536.
std::uint16_t slow_to_half(float x, const std::vector<double>& magnitudes) {
  if (std::isnan(x)) return 0x7E00u;
  const double wanted = std::min(std::fabs(static_cast<double>(x)), 65536.0);
  auto above = static_cast<std::uint32_t>(std::lower_bound(magnitudes.begin(), magnitudes.end(), wanted) - magnitudes.begin());
  if (above > 0) {
    const double up = magnitudes[above] - wanted;
    const double down = wanted - magnitudes[above - 1];
    if (down < up || (down == up && above % 2 == 1)) --above;
  }
  return static_cast<std::uint16_t>(above | (std::signbit(x) ? 0x8000u : 0u));
}

std::vector<double> all_magnitudes() {
  std::vector<double> magnitudes;
  for (std::uint32_t pattern = 0; pattern <= 0x7C00u; ++pattern) magnitudes.push_back(value_of(pattern));
  return magnitudes;
}

TEST(Half, EveryPatternHasItsDefinedValue) {
  for (std::uint32_t magnitude = 0; magnitude < 0x7C00u; ++magnitude) {
    ASSERT_EQ(from_half(static_cast<std::uint16_t>(magnitude)), value_of(magnitude)) << magnitude;
    ASSERT_EQ(from_half(static_cast<std::uint16_t>(magnitude | 0x8000u)), -value_of(magnitude)) << magnitude;
  }
  EXPECT_EQ(bits(from_half(0x8000u)), 0x80000000u);
  EXPECT_EQ(from_half(0x7C00u), std::numeric_limits<float>::infinity());
  EXPECT_EQ(from_half(0xFC00u), -std::numeric_limits<float>::infinity());
}

TEST(Half, EveryPatternSurvivesTheWayToFloatAndBack) {
  for (std::uint32_t pattern = 0; pattern <= 0xFFFFu; ++pattern) {
    const auto half = static_cast<std::uint16_t>(pattern);
    const bool nan = (pattern & 0x7FFFu) > 0x7C00u;
    ASSERT_EQ(to_half(from_half(half)), nan ? 0x7E00u : half) << pattern;
    ASSERT_TRUE(!nan || bits(from_half(half)) == 0x7FC00000u) << pattern;
  }
}

TEST(Half, RoundsToTheNearestAndTiesToEven) {
  const std::vector<double> magnitudes = all_magnitudes();
  for (std::size_t pattern = 0; pattern < 0x7C00u; ++pattern) {
    const auto middle = static_cast<float>((magnitudes[pattern] + magnitudes[pattern + 1]) / 2);  // exact: 12 significant bits
    for (const float x : {middle, std::nextafter(middle, 0.0f), std::nextafter(middle, 1e9f)}) {
      ASSERT_EQ(to_half(x), slow_to_half(x, magnitudes)) << x;
      ASSERT_EQ(to_half(-x), slow_to_half(-x, magnitudes)) << x;
    }
  }
}

TEST(Half, RoundsFloatsOfEveryKindLikeTheDefinition) {
  const std::vector<double> magnitudes = all_magnitudes();
  for (std::uint64_t pattern = 0; pattern < (std::uint64_t{1} << 32); pattern += 1021) {
    const auto x = std::bit_cast<float>(static_cast<std::uint32_t>(pattern));
    ASSERT_EQ(to_half(x), slow_to_half(x, magnitudes)) << pattern;
  }
}

TEST(Half, OverflowsToInfinityHalfAnUlpAboveTheLargest) {
  EXPECT_EQ(to_half(65504.0f), 0x7BFFu);
  EXPECT_EQ(to_half(std::nextafter(65520.0f, 0.0f)), 0x7BFFu);
  EXPECT_EQ(to_half(65520.0f), 0x7C00u);
  EXPECT_EQ(to_half(-1e30f), 0xFC00u);
  EXPECT_EQ(to_half(0x1p-25f), 0x0000u) << "half the smallest subnormal is a tie: to even";
  EXPECT_EQ(to_half(0x1.000002p-25f), 0x0001u);
}

}  // namespace
}  // namespace wafersim::sim::numerics
