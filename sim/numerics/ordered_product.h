#pragma once
// Products of matrices whose sums keep the order in which a mesh of PEs adds them, on the SIMD target of vector_ops.h.
// The terms of a sum come in groups: c[m][n] = sum of p[g], g in the order of row m, where p[g] = chain over k = 0..depth-1, ascending, of
// fma(a[m][g * depth + k], b[g * depth + k][n], p[g]) from +0. The sum is one chain of additions that starts as the first p. The bits
// are those of the scalar functions of elementary.h done in this order.

#include <cstddef>
#include <span>

namespace wafersim::sim::numerics {

// a [rows][groups * depth], contiguous; b either [groups * depth][stride] or, transposed, [columns][stride]; c [rows][c_stride].
struct ProductShape {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t groups = 0;
  std::size_t depth = 0;
};
struct ProductMatrix {
  const float* values = nullptr;
  std::size_t stride = 0;
  bool transposed = false;
};

// Row m belongs to owner o = m / rows_per_owner, one of `groups`; its order is o + 1, ..., groups - 1, 0, ..., o: a row ring.
void ring_product(float* c, std::size_t c_stride, const ProductShape& shape, std::size_t rows_per_owner, const float* a,
                  const ProductMatrix& b);

// Every row takes the groups of one run after those of the other, ascending; those of a run `times` times over: a column.
struct GroupRun {
  std::size_t first = 0;
  std::size_t count = 0;
  std::size_t times = 1;
};
void chain_product(float* c, std::size_t c_stride, const ProductShape& shape, std::span<const GroupRun> runs, const float* a,
                   const ProductMatrix& b);

}  // namespace wafersim::sim::numerics
