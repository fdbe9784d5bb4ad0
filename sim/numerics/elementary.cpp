#include "sim/numerics/elementary.h"

#include <limits>

#include "sim/numerics/approximation.h"

// The order of the operations below defines the bits; vector_math_inl.h repeats it.
namespace wafersim::sim::numerics {

namespace {

using namespace approximation;

std::int32_t bits(float x) { return std::bit_cast<std::int32_t>(x); }
float power_of_two(std::int32_t exponent) { return std::bit_cast<float>((exponent + 127) << 23); }

// x = k ln 2 + r; mantissa = exp(r).
struct ReducedExp {
  float mantissa;
  std::int32_t k;
};

ReducedExp reduced_exp(float x) {
  const float shifted = x * log2_e + round_magic;
  const float k = shifted - round_magic;
  float r = x - k * ln2_high;
  r = r - k * ln2_low;
  float q = exp_q[5];
  for (int i = 4; i >= 0; --i) q = q * r + exp_q[i];
  return {1.0f + (r + (r * r) * q), bits(shifted) - bits(round_magic)};
}

}  // namespace

float exp(float x) {
  float clamped = x < exp_max ? x : exp_max;
  clamped = clamped > exp_min ? clamped : exp_min;
  const ReducedExp e = reduced_exp(clamped);
  // Two factors, as 2^k alone may not be a normal number; only the last product can round.
  const std::int32_t half = e.k >> 1;
  const float y = (e.mantissa * power_of_two(half)) * power_of_two(e.k - half);
  return canonical(x != x ? x : y);
}

float log(float x) {
  if (x != x || x < 0.0f) return std::bit_cast<float>(0x7FC00000u);
  if (x == 0.0f) return -std::numeric_limits<float>::infinity();
  if (x == std::numeric_limits<float>::infinity()) return x;
  const bool subnormal = x < std::numeric_limits<float>::min();
  const float normal = subnormal ? x * 0x1p+23f : x;
  // x = 2^e (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)).
  constexpr std::int32_t sqrt_half = 0x3F3504F3;
  const std::int32_t exponent = (bits(normal) - sqrt_half) >> 23;
  const float f = std::bit_cast<float>(bits(normal) - exponent * (1 << 23)) - 1.0f;
  const float e = static_cast<float>(exponent - (subnormal ? 23 : 0));
  float p = log_p[8];
  for (int i = 7; i >= 0; --i) p = p * f + log_p[i];
  const float f2 = f * f;
  float y = (f * f2) * p;
  y = y + e * ln2_low;
  y = y - 0.5f * f2;
  return e * ln2_high + (f + y);
}

float tanh(float x) {
  const float magnitude = std::fabs(x);
  float y;
  if (magnitude < tanh_split) {
    const float x2 = x * x;
    float p = tanh_p[4];
    for (int i = 3; i >= 0; --i) p = p * x2 + tanh_p[i];
    y = x + (x * x2) * p;
  } else {
    const float clamped = magnitude < tanh_max ? magnitude : tanh_max;
    const ReducedExp e = reduced_exp(clamped + clamped);
    y = 1.0f - 2.0f / (e.mantissa * power_of_two(e.k) + 1.0f);
  }
  return canonical(x != x ? x : std::copysign(y, x));
}

float erf(float x) {
  const float magnitude = std::fabs(x);
  if (!(magnitude > erf_split)) {
    const float x2 = x * x;
    float p = erf_small[5];
    for (int i = 4; i >= 0; --i) p = std::fma(p, x2, erf_small[i]);
    return canonical(std::fma(p, x, x));
  }
  const float clamped = magnitude < erf_max ? magnitude : erf_max;
  float p = erf_large[6];
  for (int i = 5; i >= 0; --i) p = std::fma(p, clamped, erf_large[i]);
  return std::copysign(1.0f - exp(std::fma(p, clamped, -clamped)), x);
}

namespace {

// x = quadrant * pi/2 + r; the quadrant counts modulo 4.
struct ReducedAngle {
  float r;
  std::uint32_t quadrant;
};

ReducedAngle reduced_angle(float x) {
  if (std::fabs(x) <= reduce_max) {
    const float shifted = std::fma(x, two_over_pi, round_magic);
    const float k = shifted - round_magic;
    float r = x;
    for (const float part : half_pi) r = std::fma(-k, part, r);
    return {r, static_cast<std::uint32_t>(bits(shifted))};
  }
  // The words of 2/pi that matter for x's exponent, shifted to it; what comes before them gives whole turns.
  const std::uint32_t pattern = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t mantissa = (pattern & 0x007FFFFFu) << 8 | 0x80000000u;
  const std::uint32_t exponent = (pattern >> 23 & 0xFFu) - 126u, first = exponent >> 5, shift = exponent & 31u;
  const auto word = [&](std::uint32_t i) {
    // NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): i <= 6, since x's exponent is at least that of reduce_max
    const std::uint64_t high = i == 0 ? 0u : two_over_pi_bits[i - 1];
    return static_cast<std::uint32_t>((high << 32 | two_over_pi_bits[i]) << shift >> 32);
  };
  std::uint64_t product = std::uint64_t{mantissa} * word(first + 2);
  product = std::uint64_t{mantissa} * word(first + 1) + (product >> 32);
  product += std::uint64_t{mantissa * word(first)} << 32;
  const std::uint64_t nearest = product + (std::uint64_t{1} << 61);
  const auto fraction = static_cast<std::int64_t>(product - (nearest >> 62 << 62));
  const auto r = static_cast<float>(static_cast<double>(fraction) * 0x1.921fb54442d18p-62);
  const auto quadrant = static_cast<std::uint32_t>(nearest >> 62);
  return x < 0.0f ? ReducedAngle{-r, 0u - quadrant} : ReducedAngle{r, quadrant};
}

// sin(x + turns * pi/2)
float sine(float x, std::uint32_t turns) {
  if (!(std::fabs(x) <= std::numeric_limits<float>::max())) return std::bit_cast<float>(0x7FC00000u);
  const ReducedAngle angle = reduced_angle(x);
  const std::uint32_t quadrant = angle.quadrant + turns;
  const float r = angle.r, r2 = r * r;
  const float(&p)[4] = quadrant & 1u ? cos_p : sin_p;
  float y = p[3];
  for (int i = 2; i >= 0; --i) y = std::fma(y, r2, p[i]);
  y = quadrant & 1u ? std::fma(y, r2, 1.0f) : std::fma(y, r2 * r, r);
  return quadrant & 2u ? -y : y;
}

}  // namespace

float sin(float x) { return sine(x, 0); }

float cos(float x) { return sine(x, 1); }

float rsqrt(float x) { return canonical(1.0f / std::sqrt(x)); }

float recip(float x) { return canonical(1.0f / x); }

}  // namespace wafersim::sim::numerics
