// The panels of an ordered product: terms one after the other, as many columns each as a block keeps in registers. Included once for each
// SIMD target, after vector_math_inl.h.

#if defined(WAFERSIM_VECTOR_PANEL_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef WAFERSIM_VECTOR_PANEL_INL_H
#undef WAFERSIM_VECTOR_PANEL_INL_H
#else
#define WAFERSIM_VECTOR_PANEL_INL_H
#endif

#include <cstddef>
#include <hwy/highway.h>

#include "sim/numerics/vector_math_inl.h"

HWY_BEFORE_NAMESPACE();
namespace wafersim::sim::numerics::HWY_NAMESPACE {

namespace {

using Lanes = hn::FixedTag<float, HWY_LANES(float)>;
constexpr std::size_t lanes = HWY_LANES(float);
constexpr std::size_t panel_columns = 2 * lanes;

void copy_panel(float* to, std::size_t to_stride, const float* from, std::size_t from_stride, std::size_t rows) {
  const Lanes d;
  for (std::size_t k = 0; k < rows; ++k, to += to_stride, from += from_stride) {
    hn::StoreU(hn::LoadU(d, from), d, to);
    hn::StoreU(hn::LoadU(d, from + lanes), d, to + lanes);
  }
}

void transpose(float* panel, const float* b, std::size_t stride, std::size_t terms) {
  for (std::size_t k = 0; k < terms; ++k)
    for (std::size_t n = 0; n < panel_columns; ++n) panel[k * panel_columns + n] = b[n * stride + k];
}

#if HWY_TARGET != HWY_SCALAR
// Four terms of four columns.
HWY_INLINE void transpose_square(float* panel, const float* b, std::size_t stride) {
  const hn::FixedTag<float, 4> d;
  const hn::RepartitionToWide<decltype(d)> pairs;
  const auto row0 = hn::LoadU(d, b), row1 = hn::LoadU(d, b + stride), row2 = hn::LoadU(d, b + 2 * stride);
  const auto row3 = hn::LoadU(d, b + 3 * stride);
  const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, row0, row1)), low23 = hn::BitCast(pairs, hn::InterleaveLower(d, row2, row3));
  const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, row0, row1));
  const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, row2, row3));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23)), d, panel);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23)), d, panel + panel_columns);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23)), d, panel + 2 * panel_columns);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23)), d, panel + 3 * panel_columns);
}
#endif

void transpose_panel(float* panel, const float* b, std::size_t stride, std::size_t terms) {
#if HWY_TARGET != HWY_SCALAR
  static_assert(panel_columns % 4 == 0);
  const std::size_t squares = terms / 4 * 4;
  for (std::size_t k = 0; k < squares; k += 4)
    for (std::size_t n = 0; n < panel_columns; n += 4) transpose_square(panel + k * panel_columns + n, b + n * stride + k, stride);
  transpose(panel + squares * panel_columns, b + squares, stride, terms - squares);
#else
  transpose(panel, b, stride, terms);
#endif
}

}  // namespace

}  // namespace wafersim::sim::numerics::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target guard
