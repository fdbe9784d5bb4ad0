#pragma once
// The one arithmetic of wafersim: scalar functions that define, bit for bit, what every driver computes (PEs, reference, optimizer).
// Built from IEEE 754 fp32 +, -, *, /, sqrt and fused multiply-add with round to nearest even; no libm function whose bits vary by host.
// fp16 is IEEE binary16 stored as uint16_t: nearest even, subnormals kept, overflow to infinity, NaN quiet.
// bf16 is the upper half of an fp32, stored as uint16_t: nearest even, subnormals kept, overflow to infinity, NaN quiet.
// A NaN result is always the one pattern 0x7FC00000 (fp16: 0x7E00, bf16: 0x7FC0): sign and payload of what hardware gives vary by host,
// compiler and operand order.

#include <bit>
#include <cmath>
#include <cstdint>

namespace wafersim::sim::numerics {

inline float canonical(float x) { return x != x ? std::bit_cast<float>(0x7FC00000u) : x; }

inline float add(float a, float b) { return canonical(a + b); }
inline float sub(float a, float b) { return canonical(a - b); }
inline float mul(float a, float b) { return canonical(a * b); }
inline float fma(float a, float b, float c) { return canonical(std::fma(a, b, c)); }
// A selection, not arithmetic: b when either is NaN or both are zero, bits untouched.
inline float max(float a, float b) { return a > b ? a : b; }

std::uint16_t to_half(float value);
float from_half(std::uint16_t half);
inline float round_to_half(float value) { return from_half(to_half(value)); }
std::uint16_t to_bfloat(float value);
float from_bfloat(std::uint16_t bfloat);

// Within 2 ulp of the real function over all finite floats. exp(-inf) = 0, exp(x) = inf above 88.73, 0 below -104 (subnormals kept).
float exp(float x);
// log(0) = -inf, log(x < 0) = NaN.
float log(float x);
float tanh(float x);
float erf(float x);
// Infinities give NaN. Beyond 2^16 the argument is reduced with integers.
float sin(float x);
float cos(float x);
// 1 / sqrt(x), correctly rounded operations 1.0f / sqrt(x).
float rsqrt(float x);
// 1 / x.
float recip(float x);

}  // namespace wafersim::sim::numerics
