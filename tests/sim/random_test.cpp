#include "sim/random.h"

#include <cmath>
#include <gtest/gtest.h>
#include <set>

namespace wafersim::sim {
namespace {

using Words = std::array<std::uint32_t, 4>;

// Known answers published with Random123 (kat_vectors, philox 4x32 10).
TEST(Random, PhiloxGivesThePublishedAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (Words{0x6627E8D5u, 0xE169C58Du, 0xBC57AC4Cu, 0x9B00DBD8u}));
  EXPECT_EQ(philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}), (Words{0x408F276Du, 0x41C83B0Eu, 0xA20BC7C6u, 0x6D5451FDu}));
  EXPECT_EQ(philox4x32({0x243F6A88u, 0x85A308D3u, 0x13198A2Eu, 0x03707344u}, {0xA4093822u, 0x299F31D0u}),
            (Words{0xD16CFE09u, 0x94FDCCEBu, 0x5001E420u, 0x24126EA1u}));
}

TEST(Random, SeedStreamAndCounterEachMakeAnotherNumber) {
  std::set<std::uint64_t> seen;
  for (const std::uint64_t high : {std::uint64_t{0}, std::uint64_t{1} << 32}) {
    for (std::uint64_t low = 0; low < 4; ++low) {
      seen.insert(random_bits(high | low, 17, 19));
      seen.insert(random_bits(17, high | low, 19));
      seen.insert(random_bits(17, 19, high | low));
    }
  }
  EXPECT_EQ(seen.size(), 24u);
  EXPECT_EQ(random_bits(0, 0, 0), 0xE169C58D6627E8D5u);
}

TEST(Random, UniformHasTheMomentsOfTheUnitInterval) {
  constexpr int count = 200000;
  double sum = 0.0, squares = 0.0;
  for (int k = 0; k < count; ++k) {
    const double u = uniform(1, 2, static_cast<std::uint64_t>(k));
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
    squares += u * u;
  }
  EXPECT_NEAR(sum / count, 1.0 / 2, 0.002);
  EXPECT_NEAR(squares / count, 1.0 / 3, 0.002);
}

TEST(Random, UniformBelowReachesEveryValueAboutEquallyOften) {
  constexpr int bound = 7, each = 10000, count = bound * each;
  std::array<int, bound> seen{};
  for (int k = 0; k < count; ++k) ++seen.at(uniform_below(bound, 3, 4, static_cast<std::uint64_t>(k)));
  for (const int times : seen) EXPECT_NEAR(times, each, 400);
  EXPECT_EQ(uniform_below(1, 3, 4, 5), 0u);
}

TEST(Random, NormalHasTheMomentsOfTheStandardNormal) {
  constexpr int count = 400000;
  std::array<double, 5> moment{};
  for (int k = 0; k < count; ++k) {
    const double x = normal(5, 6, static_cast<std::uint64_t>(k));
    double power = 1.0;
    for (double& m : moment) {
      m += power / count;
      power *= x;
    }
  }
  EXPECT_NEAR(moment[1], 0.0, 0.006);
  EXPECT_NEAR(moment[2], 1.0, 0.01);
  EXPECT_NEAR(moment[3], 0.0, 0.025);
  EXPECT_NEAR(moment[4], 3.0, 0.08);
}

// Quantiles against the distribution function: erfc(-x / sqrt 2) / 2 = p.
TEST(Random, NormalQuantileInvertsTheDistribution) {
  for (double p = 1e-10; p < 0.5; p *= 1.07) {
    const double x = normal_quantile(p);
    const double density = std::exp(-x * x / 2) / std::sqrt(2 * M_PI);
    const double error = (std::erfc(-x / std::sqrt(2.0)) / 2 - p) / density;
    EXPECT_LT(std::fabs(error), 2e-6 * std::max(1.0, std::fabs(x)) * 0.5) << p;
    EXPECT_NEAR(normal_quantile(1.0 - p), -x, 1e-5 + 1e-16 / density) << p;
  }
  EXPECT_EQ(normal_quantile(0.5), 0.0);
}

// Bits recorded once: initial weights must be the same on every host.
TEST(Random, NormalGivesTheRecordedBits) {
  std::uint64_t digest = 1469598103934665603u;
  for (std::uint64_t k = 0; k < 10000; ++k) digest = (digest ^ std::bit_cast<std::uint32_t>(normal(42, 0, k))) * 1099511628211u;
  EXPECT_EQ(digest, 1541946720533928915u);
}

}  // namespace
}  // namespace wafersim::sim
