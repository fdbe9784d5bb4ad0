#pragma once
// The functions of vector_ops.h as compiled for one SIMD target. Contracts as there.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace wafersim::sim::numerics {

inline constexpr std::size_t product_rows = 6;  // of a block that add_groups keeps in registers

struct VectorTable {
  const char* target;
  void (*add)(float* out, const float* a, const float* b, std::size_t n);
  void (*sub)(float* out, const float* a, const float* b, std::size_t n);
  void (*mul)(float* out, const float* a, const float* b, std::size_t n);
  void (*add_scalar)(float* out, const float* a, float s, std::size_t n);
  void (*mul_scalar)(float* out, const float* a, float s, std::size_t n);
  void (*max)(float* out, const float* a, const float* b, std::size_t n);
  void (*fma_scalar)(float* acc, const float* x, float s, std::size_t n);
  void (*fma_scalar_half)(float* acc, const std::uint16_t* x, float s, std::size_t n);
  void (*fma_scalar_bfloat)(float* acc, const std::uint16_t* x, float s, std::size_t n);
  void (*fma_vector)(float* acc, const float* x, const float* y, std::size_t n);
  void (*exp)(float* out, const float* a, std::size_t n);
  void (*tanh)(float* out, const float* a, std::size_t n);
  void (*erf)(float* out, const float* a, std::size_t n);
  void (*to_half)(std::uint16_t* out, const float* a, std::size_t n);
  void (*from_half)(float* out, const std::uint16_t* a, std::size_t n);
  void (*to_bfloat)(std::uint16_t* out, const float* a, std::size_t n);
  void (*from_bfloat)(float* out, const std::uint16_t* a, std::size_t n);
  void (*ring_dot)(float* out, const float* x, const float* y, std::size_t stride, std::size_t groups, std::size_t depth, std::size_t first,
                   std::size_t n);
  void (*fma_rows)(float* acc, const float* x, const float* s, std::size_t stride, std::size_t rows, std::size_t n);
  void (*mul_rows)(float* acc, const float* s, std::size_t stride, std::size_t rows, std::size_t n);
  // The panel of a product (ordered_product.h): [terms][panel_columns]. Copied row by row, or from b [panel_columns][stride].
  std::size_t panel_columns;
  void (*copy_panel)(float* to, std::size_t to_stride, const float* from, std::size_t from_stride, std::size_t rows);
  void (*transpose_panel)(float* panel, const float* b, std::size_t stride, std::size_t terms);
  // The block of a product. sums [rows][panel_columns], rows <= product_rows; a [rows][a_stride]; b [groups * depth][panel_columns]: adds
  // the groups to the sums, each a chain of products over its depth, in ascending order.
  void (*add_groups)(std::size_t rows, float* sums, const float* a, std::size_t a_stride, const float* b, std::size_t groups,
                     std::size_t depth);
};

// The one in use.
const VectorTable& vector_table();

// The targets of this build that the host can run, best first, never empty. The tables are constants.
std::vector<const VectorTable*> supported_tables();

}  // namespace wafersim::sim::numerics
