#include "sim/numerics/elementary.h"

#include <cfloat>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace wafersim::sim::numerics {
namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr std::uint32_t nan_bits = 0x7FC00000u;
std::uint32_t bits(float x) { return std::bit_cast<std::uint32_t>(x); }

double ulp_at(double y) {
  if (std::fabs(y) < FLT_MIN) return 0x1p-149;
  int exponent;
  std::frexp(y, &exponent);
  return std::ldexp(1.0, exponent - 24);
}

// Largest distance in ulp of f from `exact` over every 977th of the 2^32 bit patterns (a prime: all exponents, all residues) and
// `from`..`to` pattern by pattern. Results that must be NaN, infinite or zero are checked to be so.
template <class F, class Exact>
double worst_ulp(F f, Exact exact, std::uint32_t from, std::uint32_t to) {
  double worst = 0.0;
  const auto look = [&](std::uint32_t pattern) {
    const auto x = std::bit_cast<float>(pattern);
    const float y = f(x);
    const double truth = exact(static_cast<double>(x));
    if (std::isnan(truth)) {
      if (bits(y) != nan_bits) worst = inf;
    } else if (std::fabs(truth) >= 0x1.ffffffp127) {  // rounds to infinity
      if (y != static_cast<float>(truth)) worst = inf;
    } else if (!(std::fabs(y) <= FLT_MAX)) {
      worst = inf;
    } else {
      worst = std::max(worst, std::fabs(y - truth) / ulp_at(truth));
    }
  };
  for (std::uint64_t pattern = 0; pattern < (std::uint64_t{1} << 32); pattern += 977) look(static_cast<std::uint32_t>(pattern));
  for (std::uint32_t pattern = from; pattern < to; ++pattern) look(pattern);
  return worst;
}

TEST(Elementary, ExpIsWithinOneUlpOverAllFloats) {
  const double worst = worst_ulp([](float x) { return exp(x); }, [](double x) { return std::exp(x); }, bits(0.3f), bits(0.37f));
  EXPECT_LT(worst, 1.0);
  EXPECT_GT(worst, 0.4) << "a measure that cannot fail";
}

TEST(Elementary, LogIsWithinOneUlpOverAllFloats) {
  const double worst = worst_ulp([](float x) { return log(x); }, [](double x) { return std::log(x); }, bits(0.7f), bits(0.8f));
  EXPECT_LT(worst, 1.0);
  EXPECT_GT(worst, 0.4) << "a measure that cannot fail";
}

TEST(Elementary, TanhIsWithinTwoUlpOverAllFloats) {
  const double worst = worst_ulp([](float x) { return tanh(x); }, [](double x) { return std::tanh(x); }, bits(0.6f), bits(0.7f));
  EXPECT_LT(worst, 2.0);
  EXPECT_GT(worst, 0.4) << "a measure that cannot fail";
}

TEST(Elementary, ErfIsWithinTwoUlpOverAllFloats) {
  const double worst = worst_ulp([](float x) { return erf(x); }, [](double x) { return std::erf(x); }, bits(0.9f), bits(0.95f));
  EXPECT_LT(worst, 2.0);
  EXPECT_GT(worst, 0.4) << "a measure that cannot fail";
}

TEST(Elementary, SinIsWithinTwoUlpOverAllFloats) {
  const double worst = worst_ulp([](float x) { return sin(x); }, [](double x) { return std::sin(x); }, bits(3.1f), bits(3.2f));
  EXPECT_LT(worst, 2.0);
  EXPECT_GT(worst, 0.4) << "a measure that cannot fail";
}

TEST(Elementary, CosIsWithinTwoUlpOverAllFloats) {
  const double worst = worst_ulp([](float x) { return cos(x); }, [](double x) { return std::cos(x); }, bits(65500.0f), bits(65600.0f));
  EXPECT_LT(worst, 2.0);
  EXPECT_GT(worst, 0.4) << "a measure that cannot fail";
}

TEST(Elementary, ErfSinAndCosMeetTheirEdges) {
  EXPECT_EQ(erf(inf), 1.0f);
  EXPECT_EQ(erf(-inf), -1.0f);
  EXPECT_EQ(erf(FLT_MAX), 1.0f);
  EXPECT_EQ(bits(erf(-0.0f)), bits(-0.0f));
  EXPECT_EQ(sin(-0.0f), 0.0f);
  EXPECT_EQ(sin(FLT_MAX), -sin(-FLT_MAX));
  EXPECT_EQ(cos(FLT_MAX), cos(-FLT_MAX));
  EXPECT_EQ(cos(0.0f), 1.0f);
  for (const float x : {inf, -inf}) {
    EXPECT_EQ(bits(sin(x)), nan_bits);
    EXPECT_EQ(bits(cos(x)), nan_bits);
  }
}

TEST(Elementary, ExpMeetsItsEdges) {
  EXPECT_EQ(bits(exp(-inf)), bits(0.0f));
  EXPECT_EQ(exp(inf), inf);
  EXPECT_EQ(exp(88.73f), inf);
  EXPECT_LT(exp(88.72f), inf);
  EXPECT_EQ(bits(exp(-104.0f)), bits(0.0f));
  EXPECT_EQ(bits(exp(-103.9f)), 1u) << "the smallest subnormal";
  EXPECT_EQ(exp(0.0f), 1.0f);
  EXPECT_EQ(exp(-0.0f), 1.0f);
  EXPECT_EQ(exp(-FLT_MAX), 0.0f);
  EXPECT_EQ(exp(FLT_MAX), inf);
}

TEST(Elementary, LogMeetsItsEdges) {
  EXPECT_EQ(log(0.0f), -inf);
  EXPECT_EQ(log(-0.0f), -inf);
  EXPECT_EQ(log(inf), inf);
  EXPECT_EQ(bits(log(1.0f)), bits(0.0f));
  EXPECT_EQ(bits(log(-1.0f)), nan_bits);
  EXPECT_EQ(bits(log(-inf)), nan_bits);
  EXPECT_FLOAT_EQ(log(std::bit_cast<float>(1u)), -103.27893f);
}

TEST(Elementary, TanhMeetsItsEdges) {
  EXPECT_EQ(tanh(inf), 1.0f);
  EXPECT_EQ(tanh(-inf), -1.0f);
  EXPECT_EQ(tanh(20.0f), 1.0f);
  EXPECT_EQ(tanh(-FLT_MAX), -1.0f);
  EXPECT_EQ(bits(tanh(-0.0f)), bits(-0.0f));
  EXPECT_EQ(bits(tanh(std::bit_cast<float>(0x80000003u))), 0x80000003u) << "a subnormal is its own tanh";
}

TEST(Elementary, ANanResultIsAlwaysTheOnePattern) {
  for (const std::uint32_t pattern : {0x7FC00000u, 0xFFC00000u, 0x7F800001u, 0xFFFFFFFFu}) {
    const auto nan = std::bit_cast<float>(pattern);
    for (const float y : {exp(nan), log(nan), tanh(nan), erf(nan), sin(nan), cos(nan), rsqrt(nan), recip(nan), add(nan, 1.0f),
                          sub(1.0f, nan), mul(nan, nan), fma(nan, 1.0f, 2.0f)}) {
      EXPECT_EQ(bits(y), nan_bits);
    }
  }
  EXPECT_EQ(bits(rsqrt(-1.0f)), nan_bits);
  EXPECT_EQ(bits(sub(inf, inf)), nan_bits);
  EXPECT_EQ(bits(mul(inf, 0.0f)), nan_bits);
  EXPECT_EQ(bits(fma(inf, 0.0f, 1.0f)), nan_bits);
}

TEST(Elementary, FmaRoundsOnce) {
  const float a = 1.0f + 0x1p-12f;
  EXPECT_EQ(fma(a, a, -1.0f), 0x1p-11f + 0x1p-24f);
  EXPECT_EQ(a * a - 1.0f, 0x1p-11f) << "unfused, the last bit is lost";
}

TEST(Elementary, MaxTakesTheSecondUnlessTheFirstIsGreater) {
  EXPECT_EQ(max(2.0f, 1.0f), 2.0f);
  EXPECT_EQ(bits(max(0.0f, -0.0f)), bits(-0.0f));
  EXPECT_EQ(max(std::bit_cast<float>(nan_bits), 3.0f), 3.0f);
  EXPECT_EQ(bits(max(3.0f, std::bit_cast<float>(0xFFC00001u))), 0xFFC00001u);
}

TEST(Elementary, ReciprocalsAreCorrectlyRoundedOperations) {
  EXPECT_EQ(bits(recip(3.0f)), 0x3EAAAAABu);
  EXPECT_EQ(bits(rsqrt(2.0f)), bits(1.0f / 0x1.6a09e6p+0f));
  EXPECT_EQ(recip(0.0f), inf);
  EXPECT_EQ(recip(-0.0f), -inf);
  EXPECT_EQ(rsqrt(0.0f), inf);
  EXPECT_EQ(rsqrt(inf), 0.0f);
}

// Bits recorded once: the same on every host, compiler and flag set.
TEST(Elementary, GivesTheRecordedBits) {
  std::uint64_t digest = 1469598103934665603u;  // FNV-1a over results
  const auto take = [&](float y) { digest = (digest ^ bits(y)) * 1099511628211u; };
  for (std::uint32_t pattern = 0; pattern < 0xFFFF0000u; pattern += 65521) {
    const auto x = std::bit_cast<float>(pattern);
    take(exp(x));
    take(log(x));
    take(tanh(x));
    take(rsqrt(x));
    take(recip(x));
    take(fma(x, x, 1.0f));
    take(round_to_half(x));
  }
  EXPECT_EQ(digest, 2889806032354809954u);
}

TEST(Elementary, ErfSinAndCosGiveTheRecordedBits) {
  std::uint64_t digest = 1469598103934665603u;  // as above
  for (std::uint32_t pattern = 0; pattern < 0xFFFF0000u; pattern += 65521)
    for (const float y : {erf(std::bit_cast<float>(pattern)), sin(std::bit_cast<float>(pattern)), cos(std::bit_cast<float>(pattern))})
      digest = (digest ^ bits(y)) * 1099511628211u;
  EXPECT_EQ(digest, 9640305544617848877u);
}

}  // namespace
}  // namespace wafersim::sim::numerics
