#pragma once
// The one arithmetic of wafersim: scalar functions that define, bit for bit, what every driver computes (PEs, reference, optimizer).
// Built from IEEE 754 fp32 +, -, *, /, sqrt and fused multiply-add with round to nearest even; no libm function whose bits vary by host.
// fp16 is IEEE binary16 stored as uint16_t: nearest even, subnormals kept, overflow to infinity, NaN quiet.

#include <cmath>
#include <cstdint>

namespace wafersim::sim::numerics {

inline float fma(float a, float b, float c) { return std::fma(a, b, c); }

std::uint16_t to_half(float value);
float from_half(std::uint16_t half);
inline float round_to_half(float value) { return from_half(to_half(value)); }

// Within 2 ulp of the real function over all finite floats. exp(-inf) = 0, exp(x) = inf above 88.73, 0 below -104 (subnormals kept).
float exp(float x);
// log(0) = -inf, log(x < 0) = NaN.
float log(float x);
float tanh(float x);
// 1 / sqrt(x), correctly rounded operations 1.0f / sqrt(x).
float rsqrt(float x);
// 1 / x.
float recip(float x);

}  // namespace wafersim::sim::numerics
