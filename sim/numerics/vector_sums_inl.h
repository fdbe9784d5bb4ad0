// Sums of products with many terms, kept in registers: the groups of an ordered product, dot products side by side, and rows that share a
// factor. Included once for each SIMD target, after vector_math_inl.h and walk().

#if defined(WAFERSIM_VECTOR_SUMS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef WAFERSIM_VECTOR_SUMS_INL_H
#undef WAFERSIM_VECTOR_SUMS_INL_H
#else
#define WAFERSIM_VECTOR_SUMS_INL_H
#endif

#include <cstddef>
#include <hwy/highway.h>

#include "sim/numerics/vector_math_inl.h"
#include "sim/numerics/vector_panel_inl.h"
#include "sim/numerics/vector_table.h"

HWY_BEFORE_NAMESPACE();
namespace wafersim::sim::numerics::HWY_NAMESPACE {

namespace {

// A NaN among the terms of a sum is one in the sum, so only the sums need to be canonical.
template <std::size_t kRows>
HWY_INLINE void add_groups(float* sums, const float* a, std::size_t a_stride, const float* b, std::size_t groups, std::size_t depth) {
  const Lanes d;
  Vector<Lanes> low[kRows], high[kRows];
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kRows; ++r) {
    low[r] = hn::LoadU(d, sums + r * panel_columns);
    high[r] = hn::LoadU(d, sums + r * panel_columns + lanes);
  }
  for (std::size_t g = 0; g < groups; ++g) {
    Vector<Lanes> p[kRows], q[kRows];
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) p[r] = q[r] = hn::Zero(d);
    for (std::size_t k = 0; k < depth; ++k, ++a, b += panel_columns) {
      const auto b_low = hn::LoadU(d, b), b_high = hn::LoadU(d, b + lanes);
#pragma GCC unroll 8
      for (std::size_t r = 0; r < kRows; ++r) {
        const auto factor = hn::Set(d, a[r * a_stride]);
        p[r] = fused_raw(d, factor, b_low, p[r]);
        q[r] = fused_raw(d, factor, b_high, q[r]);
      }
    }
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
      low[r] = hn::Add(p[r], low[r]);
      high[r] = hn::Add(q[r], high[r]);
    }
  }
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kRows; ++r) {
    hn::StoreU(canonical(d, low[r]), d, sums + r * panel_columns);
    hn::StoreU(canonical(d, high[r]), d, sums + r * panel_columns + lanes);
  }
}

void add_groups_of(std::size_t rows, float* sums, const float* a, std::size_t a_stride, const float* b, std::size_t groups,
                   std::size_t depth) {
  static_assert(product_rows == 6);
  switch (rows) {
    case 1: return add_groups<1>(sums, a, a_stride, b, groups, depth);
    case 2: return add_groups<2>(sums, a, a_stride, b, groups, depth);
    case 3: return add_groups<3>(sums, a, a_stride, b, groups, depth);
    case 4: return add_groups<4>(sums, a, a_stride, b, groups, depth);
    case 5: return add_groups<5>(sums, a, a_stride, b, groups, depth);
    default: return add_groups<6>(sums, a, a_stride, b, groups, depth);
  }
}

struct RingDot {
  float* out;
  const float* x;
  const float* y;
  std::size_t stride, groups, depth, first;
  template <class D>
  HWY_INLINE void step(D d, std::size_t k) const {
    auto sum = hn::Set(d, -0.0f);
    for (std::size_t g = 0; g < groups; ++g) {
      const std::size_t begin = (first + g < groups ? first + g : first + g - groups) * depth * stride + k;
      auto part = hn::Zero(d);
      for (std::size_t i = 0; i < depth; ++i)
        part = fused_raw(d, hn::LoadU(d, x + begin + i * stride), hn::LoadU(d, y + begin + i * stride), part);
      sum = hn::Add(part, sum);
    }
    hn::StoreU(canonical(d, sum), d, out + k);
  }
};
struct FmaRows {
  float* acc;
  const float* x;
  const float* s;
  std::size_t stride, rows;
  template <class D>
  HWY_INLINE void step(D d, std::size_t k) const {
    const auto factor = hn::LoadU(d, s + k);
    for (std::size_t i = 0; i < rows; ++i) {
      float* at = acc + i * stride + k;
      hn::StoreU(fused(d, hn::LoadU(d, x + i * stride + k), factor, hn::LoadU(d, at)), d, at);
    }
  }
};
struct MulRows {
  float* acc;
  const float* s;
  std::size_t stride, rows;
  template <class D>
  HWY_INLINE void step(D d, std::size_t k) const {
    const auto factor = hn::LoadU(d, s + k);
    for (std::size_t i = 0; i < rows; ++i) {
      float* at = acc + i * stride + k;
      hn::StoreU(canonical(d, hn::Mul(hn::LoadU(d, at), factor)), d, at);
    }
  }
};

}  // namespace

}  // namespace wafersim::sim::numerics::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target guard
