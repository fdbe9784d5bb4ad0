// Compiled once for each SIMD target (Highway's foreach_target). An operation is a struct whose step() handles D's lanes from index k on;
// walk() covers n elements with full vectors, then with halves of them down to one lane, so nothing outside the arrays is touched.

#include "sim/numerics/vector_table.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/numerics/vector_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "sim/numerics/vector_math_inl.h"
#include "sim/numerics/vector_panel_inl.h"
#include "sim/numerics/vector_sums_inl.h"

HWY_BEFORE_NAMESPACE();
namespace wafersim::sim::numerics::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

namespace {

template <std::size_t kLanes, class Op>
HWY_INLINE void walk(const Op& op, std::size_t k, std::size_t n) {
  const hn::FixedTag<float, kLanes> d;
  if constexpr (kLanes == HWY_LANES(float)) {
    for (; n - k >= kLanes; k += kLanes) op.step(d, k);
    if (k == n) return;
  } else if (n - k >= kLanes) {
    op.step(d, k);
    k += kLanes;
  }
  if constexpr (kLanes > 1) walk<kLanes / 2>(op, k, n);
}

struct AddLanes {
  template <class D>
  static HWY_INLINE Vector<D> of(D d, Vector<D> a, Vector<D> b) {
    return canonical(d, hn::Add(a, b));
  }
};
struct SubLanes {
  template <class D>
  static HWY_INLINE Vector<D> of(D d, Vector<D> a, Vector<D> b) {
    return canonical(d, hn::Sub(a, b));
  }
};
struct MulLanes {
  template <class D>
  static HWY_INLINE Vector<D> of(D d, Vector<D> a, Vector<D> b) {
    return canonical(d, hn::Mul(a, b));
  }
};
struct MaxLanesOf {
  template <class D>
  static HWY_INLINE Vector<D> of(D, Vector<D> a, Vector<D> b) {
    return hn::IfThenElse(hn::Gt(a, b), a, b);
  }
};
struct ExpLanes {
  template <class D>
  static HWY_INLINE Vector<D> of(D d, Vector<D> a) {
    return exponential(d, a);
  }
};
struct TanhLanes {
  template <class D>
  static HWY_INLINE Vector<D> of(D d, Vector<D> a) {
    return hyperbolic_tangent(d, a);
  }
};
struct ErfLanes {
  template <class D>
  static HWY_INLINE Vector<D> of(D d, Vector<D> a) {
    return error_function(d, a);
  }
};

template <class F>
struct Unary {
  float* out;
  const float* a;
  template <class D>
  HWY_INLINE void step(D d, std::size_t k) const {
    hn::StoreU(F::of(d, hn::LoadU(d, a + k)), d, out + k);
  }
};
template <class F>
struct Binary {
  float* out;
  const float* a;
  const float* b;
  template <class D>
  HWY_INLINE void step(D d, std::size_t k) const {
    hn::StoreU(F::of(d, hn::LoadU(d, a + k), hn::LoadU(d, b + k)), d, out + k);
  }
};
template <class F>
struct WithScalar {
  float* out;
  const float* a;
  float s;
  template <class D>
  HWY_INLINE void step(D d, std::size_t k) const {
    hn::StoreU(F::of(d, hn::LoadU(d, a + k), hn::Set(d, s)), d, out + k);
  }
};
struct FmaScalar {
  float* acc;
  const float* x;
  float s;
  template <class D>
  HWY_INLINE void step(D d, std::size_t k) const {
    hn::StoreU(fused(d, hn::LoadU(d, x + k), hn::Set(d, s), hn::LoadU(d, acc + k)), d, acc + k);
  }
};
// How numbers of 16 bits are read and written.
struct HalfLanes {
  template <class D>
  static HWY_INLINE Vector<D> read(D d, const std::uint16_t* p) {
    return widen(d, p);
  }
  template <class D>
  static HWY_INLINE void write(D d, Vector<D> v, std::uint16_t* p) {
    narrow(d, v, p);
  }
};
struct BfloatLanes {
  template <class D>
  static HWY_INLINE Vector<D> read(D d, const std::uint16_t* p) {
    return widen_bfloat(d, p);
  }
  template <class D>
  static HWY_INLINE void write(D d, Vector<D> v, std::uint16_t* p) {
    narrow_bfloat(d, v, p);
  }
};
template <class Lanes>
struct FmaScalarOf {
  float* acc;
  const std::uint16_t* x;
  float s;
  template <class D>
  HWY_INLINE void step(D d, std::size_t k) const {
    hn::StoreU(fused(d, Lanes::read(d, x + k), hn::Set(d, s), hn::LoadU(d, acc + k)), d, acc + k);
  }
};
struct FmaVector {
  float* acc;
  const float* x;
  const float* y;
  template <class D>
  HWY_INLINE void step(D d, std::size_t k) const {
    hn::StoreU(fused(d, hn::LoadU(d, x + k), hn::LoadU(d, y + k), hn::LoadU(d, acc + k)), d, acc + k);
  }
};
template <class Lanes>
struct Narrow {
  std::uint16_t* out;
  const float* a;
  template <class D>
  HWY_INLINE void step(D d, std::size_t k) const {
    Lanes::write(d, hn::LoadU(d, a + k), out + k);
  }
};
template <class Lanes>
struct Widen {
  float* out;
  const std::uint16_t* a;
  template <class D>
  HWY_INLINE void step(D d, std::size_t k) const {
    hn::StoreU(Lanes::read(d, a + k), d, out + k);
  }
};

// Op{arguments...} over n elements, as a plain function to point to.
template <class Op, class Out, class... In>
void run(Out* out, In... in, std::size_t n) {
  walk<HWY_LANES(float)>(Op{out, in...}, 0, n);
}

void ring_dot(float* out, const float* x, const float* y, std::size_t stride, std::size_t groups, std::size_t depth, std::size_t first,
              std::size_t n) {
  walk<HWY_LANES(float)>(RingDot{out, x, y, stride, groups, depth, first}, 0, n);
}
void fma_rows(float* acc, const float* x, const float* s, std::size_t stride, std::size_t rows, std::size_t n) {
  walk<HWY_LANES(float)>(FmaRows{acc, x, s, stride, rows}, 0, n);
}
void mul_rows(float* acc, const float* s, std::size_t stride, std::size_t rows, std::size_t n) {
  walk<HWY_LANES(float)>(MulRows{acc, s, stride, rows}, 0, n);
}

using In = const float*;
using InHalf = const std::uint16_t*;

}  // namespace

const VectorTable* table() {
  static const VectorTable functions = {
      .target = hwy::TargetName(HWY_TARGET),
      .add = run<Binary<AddLanes>, float, In, In>,
      .sub = run<Binary<SubLanes>, float, In, In>,
      .mul = run<Binary<MulLanes>, float, In, In>,
      .add_scalar = run<WithScalar<AddLanes>, float, In, float>,
      .mul_scalar = run<WithScalar<MulLanes>, float, In, float>,
      .max = run<Binary<MaxLanesOf>, float, In, In>,
      .fma_scalar = run<FmaScalar, float, In, float>,
      .fma_scalar_half = run<FmaScalarOf<HalfLanes>, float, InHalf, float>,
      .fma_scalar_bfloat = run<FmaScalarOf<BfloatLanes>, float, InHalf, float>,
      .fma_vector = run<FmaVector, float, In, In>,
      .exp = run<Unary<ExpLanes>, float, In>,
      .tanh = run<Unary<TanhLanes>, float, In>,
      .erf = run<Unary<ErfLanes>, float, In>,
      .to_half = run<Narrow<HalfLanes>, std::uint16_t, In>,
      .from_half = run<Widen<HalfLanes>, float, InHalf>,
      .to_bfloat = run<Narrow<BfloatLanes>, std::uint16_t, In>,
      .from_bfloat = run<Widen<BfloatLanes>, float, InHalf>,
      .ring_dot = ring_dot,
      .fma_rows = fma_rows,
      .mul_rows = mul_rows,
      .panel_columns = panel_columns,
      .copy_panel = copy_panel,
      .transpose_panel = transpose_panel,
      .add_groups = add_groups_of,
  };
  return &functions;
}

}  // namespace wafersim::sim::numerics::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace wafersim::sim::numerics {

HWY_EXPORT(table);

std::vector<const VectorTable*> supported_tables() {
  constexpr bool single_target = (HWY_TARGETS & (HWY_TARGETS - 1)) == 0;
  std::vector<const VectorTable*> tables;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::ChosenTarget chosen;
    chosen.Update(target);
    tables.push_back(HWY_DISPATCH_TABLE(table)[single_target ? 0 : chosen.GetIndex()]());
  }
  return tables;
}

}  // namespace wafersim::sim::numerics
#endif  // HWY_ONCE
