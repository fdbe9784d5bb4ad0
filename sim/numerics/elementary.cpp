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

float rsqrt(float x) { return canonical(1.0f / std::sqrt(x)); }

float recip(float x) { return canonical(1.0f / x); }

}  // namespace wafersim::sim::numerics
