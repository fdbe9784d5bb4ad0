// What is done to the lanes of one vector: conversions, fused multiply-add, exp, tanh, erf. Included once for each SIMD target, after
// <hwy/highway.h>, so it has Highway's toggled guard in place of #pragma once.

#if defined(WAFERSIM_VECTOR_MATH_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef WAFERSIM_VECTOR_MATH_INL_H
#undef WAFERSIM_VECTOR_MATH_INL_H
#else
#define WAFERSIM_VECTOR_MATH_INL_H
#endif

#include <cmath>
#include <cstdint>
#include <hwy/highway.h>

#include "sim/numerics/approximation.h"

HWY_BEFORE_NAMESPACE();
namespace wafersim::sim::numerics::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

namespace {

using namespace approximation;

// F16C: hardware conversions, equal to the integer code below for all but NaN.
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2 && !defined(HWY_DISABLE_F16C)
#define WAFERSIM_HARDWARE_HALF 1
#else
#define WAFERSIM_HARDWARE_HALF 0
#endif

template <class D>
using Vector = hn::Vec<D>;
template <class D>
using Half = hn::Rebind<std::uint16_t, D>;
template <class D>
using Signed = hn::RebindToSigned<D>;

template <class D>
HWY_INLINE Vector<D> canonical(D d, Vector<D> v) {
  return hn::IfThenElse(hn::IsNaN(v), hn::BitCast(d, hn::Set(Signed<D>(), 0x7FC00000)), v);
}

// Fused on every target; NaN as the host makes it.
template <class D>
HWY_INLINE Vector<D> fused_raw([[maybe_unused]] D d, Vector<D> a, Vector<D> b, Vector<D> c) {
#if HWY_NATIVE_FMA
  return hn::MulAdd(a, b, c);
#else
  constexpr std::size_t lanes = hn::MaxLanes(D());
  HWY_ALIGN float x[lanes], y[lanes], z[lanes];
  hn::Store(a, d, x);
  hn::Store(b, d, y);
  hn::Store(c, d, z);
  for (std::size_t k = 0; k < lanes; ++k) z[k] = std::fma(x[k], y[k], z[k]);
  return hn::Load(d, z);
#endif
}

template <class D>
HWY_INLINE Vector<D> fused(D d, Vector<D> a, Vector<D> b, Vector<D> c) {
  return canonical(d, fused_raw(d, a, b, c));
}

template <class D>
HWY_INLINE Vector<D> widen(D d, const std::uint16_t* p) {
  const auto raw = hn::LoadU(Half<D>(), p);
#if WAFERSIM_HARDWARE_HALF
  return canonical(d, hn::PromoteTo(d, hn::BitCast(hn::Rebind<hwy::float16_t, D>(), raw)));
#else
  const Signed<D> di;
  const auto bits = hn::PromoteTo(di, raw);
  const auto sign = hn::ShiftLeft<16>(hn::And(bits, hn::Set(di, 0x8000)));
  const auto magnitude = hn::And(bits, hn::Set(di, 0x7FFF));
  const auto subnormal = hn::BitCast(di, hn::Mul(hn::ConvertTo(d, magnitude), hn::Set(d, 0x1p-24f)));
  const auto normal = hn::Add(hn::ShiftLeft<13>(magnitude), hn::Set(di, 112 << 23));
  auto result = hn::IfThenElse(hn::Lt(magnitude, hn::Set(di, 0x400)), subnormal, normal);
  result = hn::IfThenElse(hn::Gt(magnitude, hn::Set(di, 0x7BFF)), hn::Set(di, 0x7F800000), result);
  result = hn::Or(result, sign);
  return hn::BitCast(d, hn::IfThenElse(hn::Gt(magnitude, hn::Set(di, 0x7C00)), hn::Set(di, 0x7FC00000), result));
#endif
}

template <class D>
HWY_INLINE void narrow(D d, Vector<D> v, std::uint16_t* p) {
#if WAFERSIM_HARDWARE_HALF
  hn::StoreU(hn::BitCast(Half<D>(), hn::DemoteTo(hn::Rebind<hwy::float16_t, D>(), canonical(d, v))), Half<D>(), p);
#else
  const Signed<D> di;
  const auto bits = hn::BitCast(di, v);
  const auto magnitude = hn::And(bits, hn::Set(di, 0x7FFFFFFF));
  const auto sign = hn::And(hn::ShiftRight<16>(bits), hn::Set(di, 0x8000));
  const auto subnormal = hn::Sub(hn::BitCast(di, hn::Add(hn::BitCast(d, magnitude), hn::Set(d, 0.5f))), hn::Set(di, 0x3F000000));
  const auto odd = hn::And(hn::ShiftRight<13>(magnitude), hn::Set(di, 1));
  const auto normal = hn::ShiftRight<13>(hn::Add(hn::Add(magnitude, hn::Set(di, 0xFFF - (112 << 23))), odd));
  auto result = hn::IfThenElse(hn::Lt(magnitude, hn::Set(di, 0x38800000)), subnormal, normal);
  result = hn::IfThenElse(hn::Gt(magnitude, hn::Set(di, 0x477FFFFF)), hn::Set(di, 0x7C00), result);
  result = hn::Or(result, sign);
  result = hn::IfThenElse(hn::Gt(magnitude, hn::Set(di, 0x7F800000)), hn::Set(di, 0x7E00), result);
  hn::StoreU(hn::DemoteTo(Half<D>(), result), Half<D>(), p);
#endif
}

template <class D>
HWY_INLINE Vector<D> widen_bfloat(D d, const std::uint16_t* p) {
  const auto bits = hn::PromoteTo(Signed<D>(), hn::LoadU(Half<D>(), p));
  return canonical(d, hn::BitCast(d, hn::ShiftLeft<16>(bits)));
}

template <class D>
HWY_INLINE void narrow_bfloat(D, Vector<D> v, std::uint16_t* p) {
  const Signed<D> di;
  const auto bits = hn::BitCast(di, v);
  const auto magnitude = hn::And(bits, hn::Set(di, 0x7FFFFFFF));
  const auto sign = hn::And(hn::ShiftRight<16>(bits), hn::Set(di, 0x8000));
  const auto is_nan = hn::Gt(magnitude, hn::Set(di, 0x7F800000));
  const auto odd = hn::And(hn::ShiftRight<16>(magnitude), hn::Set(di, 1));
  const auto number = hn::IfThenElse(is_nan, hn::Zero(di), magnitude);
  const auto rounded = hn::Or(hn::ShiftRight<16>(hn::Add(hn::Add(number, hn::Set(di, 0x7FFF)), odd)), sign);
  hn::StoreU(hn::DemoteTo(Half<D>(), hn::IfThenElse(is_nan, hn::Set(di, 0x7FC0), rounded)), Half<D>(), p);
}

// elementary.cpp's functions, operation by operation.
template <class D>
HWY_INLINE Vector<D> power_of_two(D d, Vector<Signed<D>> exponent) {
  return hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(exponent, hn::Set(Signed<D>(), 127))));
}

template <class D>
HWY_INLINE Vector<D> reduced_exp(D d, Vector<D> x, Vector<Signed<D>>& exponent) {
  const Signed<D> di;
  const auto magic = hn::Set(d, round_magic);
  const auto shifted = hn::Add(hn::Mul(x, hn::Set(d, log2_e)), magic);
  const auto k = hn::Sub(shifted, magic);
  auto r = hn::Sub(x, hn::Mul(k, hn::Set(d, ln2_high)));
  r = hn::Sub(r, hn::Mul(k, hn::Set(d, ln2_low)));
  auto q = hn::Set(d, exp_q[5]);
  for (int i = 4; i >= 0; --i) q = hn::Add(hn::Mul(q, r), hn::Set(d, exp_q[i]));
  exponent = hn::Sub(hn::BitCast(di, shifted), hn::BitCast(di, magic));
  return hn::Add(hn::Set(d, 1.0f), hn::Add(r, hn::Mul(hn::Mul(r, r), q)));
}

template <class D>
HWY_INLINE Vector<D> exponential(D d, Vector<D> x) {
  const auto low = hn::Set(d, exp_min), high = hn::Set(d, exp_max);
  auto clamped = hn::IfThenElse(hn::Lt(x, high), x, high);
  clamped = hn::IfThenElse(hn::Gt(clamped, low), clamped, low);
  Vector<Signed<D>> k;
  const auto mantissa = reduced_exp(d, clamped, k);
  const auto half = hn::ShiftRight<1>(k);
  const auto y = hn::Mul(hn::Mul(mantissa, power_of_two(d, half)), power_of_two(d, hn::Sub(k, half)));
  return canonical(d, hn::IfThenElse(hn::IsNaN(x), x, y));
}

template <class D>
HWY_INLINE Vector<D> hyperbolic_tangent(D d, Vector<D> x) {
  const auto magnitude = hn::Abs(x), one = hn::Set(d, 1.0f), limit = hn::Set(d, tanh_max);
  const auto x2 = hn::Mul(x, x);
  auto p = hn::Set(d, tanh_p[4]);
  for (int i = 3; i >= 0; --i) p = hn::Add(hn::Mul(p, x2), hn::Set(d, tanh_p[i]));
  const auto small = hn::Add(x, hn::Mul(hn::Mul(x, x2), p));
  const auto clamped = hn::IfThenElse(hn::Lt(magnitude, limit), magnitude, limit);
  Vector<Signed<D>> k;
  const auto mantissa = reduced_exp(d, hn::Add(clamped, clamped), k);
  const auto sum = hn::Add(hn::Mul(mantissa, power_of_two(d, k)), one);
  const auto large = hn::Sub(one, hn::Div(hn::Set(d, 2.0f), sum));
  const auto y = hn::IfThenElse(hn::Lt(magnitude, hn::Set(d, tanh_split)), small, large);
  return canonical(d, hn::IfThenElse(hn::IsNaN(x), x, hn::CopySign(y, x)));
}

template <class D>
HWY_INLINE Vector<D> error_function(D d, Vector<D> x) {
  const auto magnitude = hn::Abs(x), limit = hn::Set(d, erf_max);
  const auto x2 = hn::Mul(x, x);
  auto small = hn::Set(d, erf_small[5]);
  for (int i = 4; i >= 0; --i) small = fused_raw(d, small, x2, hn::Set(d, erf_small[i]));
  small = canonical(d, fused_raw(d, small, x, x));
  const auto clamped = hn::IfThenElse(hn::Lt(magnitude, limit), magnitude, limit);
  auto large = hn::Set(d, erf_large[6]);
  for (int i = 5; i >= 0; --i) large = fused_raw(d, large, clamped, hn::Set(d, erf_large[i]));
  large = hn::Sub(hn::Set(d, 1.0f), exponential(d, fused_raw(d, large, clamped, hn::Neg(clamped))));
  return hn::IfThenElse(hn::Gt(magnitude, hn::Set(d, erf_split)), hn::CopySign(large, x), small);
}

}  // namespace

#undef WAFERSIM_HARDWARE_HALF

}  // namespace wafersim::sim::numerics::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target guard
