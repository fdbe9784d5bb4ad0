#pragma once
// Numbers as memory and wavelets hold them. Where `type` is asked for, it is fp16 or bf16 (sim::is_half).

#include <cstddef>
#include <cstdint>

#include "sim/dtype.h"
#include "sim/numerics/elementary.h"
#include "sim/numerics/vector_ops.h"

namespace wafersim::sim::numerics {

inline std::uint16_t to_16_bits(Dtype type, float value) { return type == Dtype::f16 ? to_half(value) : to_bfloat(value); }
inline float from_16_bits(Dtype type, std::uint16_t bits) { return type == Dtype::f16 ? from_half(bits) : from_bfloat(bits); }

// Arrays of n elements, as in vector_ops.h.
inline void to_16_bits(Dtype type, std::uint16_t* out, const float* a, std::size_t n) {
  type == Dtype::f16 ? to_half(out, a, n) : to_bfloat(out, a, n);
}
inline void from_16_bits(Dtype type, float* out, const std::uint16_t* a, std::size_t n) {
  type == Dtype::f16 ? from_half(out, a, n) : from_bfloat(out, a, n);
}

// acc[k] = fma(x[k], s, acc[k]); x of `type`, which may be fp32, too.
inline void fma_scalar(Dtype type, float* acc, const void* x, float s, std::size_t n) {
  switch (type) {
    case Dtype::f16: return fma_scalar_half(acc, static_cast<const std::uint16_t*>(x), s, n);
    case Dtype::bf16: return fma_scalar_bfloat(acc, static_cast<const std::uint16_t*>(x), s, n);
    default: return fma_scalar(acc, static_cast<const float*>(x), s, n);
  }
}

}  // namespace wafersim::sim::numerics
