// bf16 against its definition: eight bits of exponent as an fp32, seven of fraction.

#include <algorithm>
#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <vector>

#include "sim/numerics/elementary.h"

namespace wafersim::sim::numerics {
namespace {

constexpr std::uint32_t infinite = 0x7F80;

double value_of(std::uint32_t magnitude) {
  const int exponent = static_cast<int>(magnitude >> 7);
  const double fraction = magnitude & 0x7Fu;
  return exponent == 0 ? std::ldexp(fraction, -133) : std::ldexp(128 + fraction, exponent - 134);
}

// Nearest of all magnitudes, ties to the even pattern; the pattern of infinity stands for 2^128.
std::uint16_t slow_to_bfloat(float x, const std::vector<double>& magnitudes) {
  if (std::isnan(x)) return 0x7FC0u;
  const double wanted = std::min(std::fabs(static_cast<double>(x)), 0x1p128);
  auto above = static_cast<std::uint32_t>(std::lower_bound(magnitudes.begin(), magnitudes.end(), wanted) - magnitudes.begin());
  if (above > 0) {
    const double up = magnitudes[above] - wanted, down = wanted - magnitudes[above - 1];
    if (down < up || (down == up && above % 2 == 1)) --above;
  }
  return static_cast<std::uint16_t>(above | (std::signbit(x) ? 0x8000u : 0u));
}

std::vector<double> all_magnitudes() {
  std::vector<double> magnitudes;
  for (std::uint32_t pattern = 0; pattern <= infinite; ++pattern) magnitudes.push_back(value_of(pattern));
  return magnitudes;
}

TEST(Bfloat, EveryPatternHasItsDefinedValueAndSurvivesTheWayToFloatAndBack) {
  for (std::uint32_t pattern = 0; pattern <= 0xFFFFu; ++pattern) {
    const auto bfloat = static_cast<std::uint16_t>(pattern);
    const std::uint32_t magnitude = pattern & 0x7FFFu;
    const float value = from_bfloat(bfloat);
    if (magnitude > infinite) {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(value), 0x7FC00000u) << pattern;
      ASSERT_EQ(to_bfloat(value), 0x7FC0u) << pattern;
      continue;
    }
    const double wanted = magnitude == infinite ? std::numeric_limits<double>::infinity() : value_of(magnitude);
    ASSERT_EQ(value, pattern > 0x7FFFu ? -wanted : wanted) << pattern;
    ASSERT_EQ(to_bfloat(value), bfloat) << pattern;
  }
}

TEST(Bfloat, RoundsToTheNearestAndTiesToEven) {
  const std::vector<double> magnitudes = all_magnitudes();
  for (std::size_t pattern = 0; pattern < infinite; ++pattern) {
    const auto middle = static_cast<float>(magnitudes[pattern] + (magnitudes[pattern + 1] - magnitudes[pattern]) / 2);  // exact
    for (const float x : {middle, std::nextafter(middle, 0.0f), std::nextafter(middle, std::numeric_limits<float>::max())}) {
      ASSERT_EQ(to_bfloat(x), slow_to_bfloat(x, magnitudes)) << x;
      ASSERT_EQ(to_bfloat(-x), slow_to_bfloat(-x, magnitudes)) << x;
    }
  }
}

TEST(Bfloat, RoundsFloatsOfEveryKindLikeTheDefinition) {
  const std::vector<double> magnitudes = all_magnitudes();
  for (std::uint64_t pattern = 0; pattern < (std::uint64_t{1} << 32); pattern += 1021) {
    const auto x = std::bit_cast<float>(static_cast<std::uint32_t>(pattern));
    ASSERT_EQ(to_bfloat(x), slow_to_bfloat(x, magnitudes)) << pattern;
  }
}

}  // namespace
}  // namespace wafersim::sim::numerics
