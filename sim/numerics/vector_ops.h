#pragma once
// Vector forms of the scalar arithmetic in elementary.h, dispatched at run time to the best SIMD target of the host.
// Every target gives the same bits as the scalar functions: element by element, never reassociated; fma is fused on every target.
// Arrays are contiguous, of n >= 0 elements, and need no alignment; an output may be the same array as an input, else they do not overlap.

#include <cstddef>
#include <cstdint>
#include <span>

namespace wafersim::sim::numerics {

// out[k] = a[k] (+, -, *) b[k]
void add(float* out, const float* a, const float* b, std::size_t n);
void sub(float* out, const float* a, const float* b, std::size_t n);
void mul(float* out, const float* a, const float* b, std::size_t n);
// out[k] = a[k] (+, *) s
void add_scalar(float* out, const float* a, float s, std::size_t n);
void mul_scalar(float* out, const float* a, float s, std::size_t n);
// out[k] = a[k] > b[k] ? a[k] : b[k]
void max(float* out, const float* a, const float* b, std::size_t n);
// acc[k] = fma(x[k], s, acc[k]); the _half form reads x as fp16, the _bfloat form as bf16.
void fma_scalar(float* acc, const float* x, float s, std::size_t n);
void fma_scalar_half(float* acc, const std::uint16_t* x, float s, std::size_t n);
void fma_scalar_bfloat(float* acc, const std::uint16_t* x, float s, std::size_t n);
// acc[k] = fma(x[k], y[k], acc[k])
void fma_vector(float* acc, const float* x, const float* y, std::size_t n);
// out[k] = f(a[k])
void exp(float* out, const float* a, std::size_t n);
void tanh(float* out, const float* a, std::size_t n);
void erf(float* out, const float* a, std::size_t n);
// Conversions.
void to_half(std::uint16_t* out, const float* a, std::size_t n);
void from_half(float* out, const std::uint16_t* a, std::size_t n);
void to_bfloat(std::uint16_t* out, const float* a, std::size_t n);
void from_bfloat(float* out, const std::uint16_t* a, std::size_t n);
// Matrices x, y, acc [rows][stride] with n <= stride columns in use; s, out [n].
// out[k] = sum over the groups first, ..., groups - 1, 0, ..., first - 1, one chain of additions, of the chain of fma(x[i][k], y[i][k])
// that starts with +0 over the group's `depth` rows i.
void ring_dot(float* out, const float* x, const float* y, std::size_t stride, std::size_t groups, std::size_t depth, std::size_t first,
              std::size_t n);
// acc[i][k] = fma(x[i][k], s[k], acc[i][k])
void fma_rows(float* acc, const float* x, const float* s, std::size_t stride, std::size_t rows, std::size_t n);
// acc[i][k] = acc[i][k] * s[k]
void mul_rows(float* acc, const float* s, std::size_t stride, std::size_t rows, std::size_t n);

// Names of the targets this build can run on this host, best first, and a way to force one (tests compare them). "" restores the best.
// Forcing is for tests: it is not safe while other threads compute.
std::span<const char* const> available_targets();
void force_target(const char* name);

}  // namespace wafersim::sim::numerics
