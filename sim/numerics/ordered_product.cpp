// b is packed panel by panel, as wide as a block of add_groups; a panel stays in the caches while all rows meet it.

#include "sim/numerics/ordered_product.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "sim/aligned_vector.h"
#include "sim/numerics/vector_table.h"

namespace wafersim::sim::numerics {

namespace {

class Product {
 public:
  Product(float* c, std::size_t c_stride, const ProductShape& shape, const float* a, const ProductMatrix& b)
      : c_(c),
        c_stride_(c_stride),
        shape_(shape),
        a_(a),
        b_(b),
        table_(vector_table()),
        terms_(shape.groups * shape.depth),
        panel_(terms_ * table_.panel_columns),
        nothing_(product_rows * table_.panel_columns, -0.0f) {}  // -0 + p is p

  // block(row, rows): adds every group to the sums of these rows.
  template <typename Block>
  void each_block(const Block& block) {
    for (column_ = 0; column_ < shape_.columns; column_ += table_.panel_columns) {
      width_ = std::min(table_.panel_columns, shape_.columns - column_);
      pack();
      for (std::size_t row = 0, rows = 0; row < shape_.rows; row += rows) {
        rows = std::min(product_rows, shape_.rows - row);
        sums_ = nothing_;
        block(row, rows);
        float* out = c_ + row * c_stride_ + column_;
        if (width_ == table_.panel_columns) {
          table_.copy_panel(out, c_stride_, sums_.data(), width_, rows);
        } else {
          for (std::size_t r = 0; r < rows; ++r) std::copy_n(&sums_[r * table_.panel_columns], width_, out + r * c_stride_);
        }
      }
    }
  }

  // Groups first..last-1 to rows row..row+rows-1 of the block that begins with `block`.
  void add(std::size_t block, std::size_t row, std::size_t rows, std::size_t first, std::size_t last) {
    if (first < last)
      table_.add_groups(rows, &sums_[(row - block) * table_.panel_columns], a_ + row * terms_ + first * shape_.depth, terms_,
                        &panel_[first * shape_.depth * table_.panel_columns], last - first, shape_.depth);
  }

  const AlignedVector<float>& sums() const { return sums_; }

 private:
  void pack() {
    const std::size_t width = table_.panel_columns;
    const float* from = b_.values + (b_.transposed ? column_ * b_.stride : column_);
    if (width_ == width && b_.transposed) return table_.transpose_panel(panel_.data(), from, b_.stride, terms_);
    if (width_ == width) return table_.copy_panel(panel_.data(), width, from, b_.stride, terms_);
    const std::size_t term = b_.transposed ? 1 : b_.stride, column = b_.transposed ? b_.stride : 1;
    for (std::size_t k = 0; k < terms_; ++k)
      for (std::size_t n = 0; n < width_; ++n) panel_[k * width + n] = from[k * term + n * column];
  }

  float* c_;
  std::size_t c_stride_;
  const ProductShape& shape_;
  const float* a_;
  const ProductMatrix& b_;
  const VectorTable& table_;
  std::size_t terms_;
  std::size_t column_ = 0;        // of the panel
  std::size_t width_ = 0;         // true columns of the panel
  AlignedVector<float> panel_;    // [terms][panel_columns]
  AlignedVector<float> sums_;     // of a block: [product_rows][panel_columns]
  AlignedVector<float> nothing_;  // those of no term
};

}  // namespace

void ring_product(float* c, std::size_t c_stride, const ProductShape& shape, std::size_t rows_per_owner, const float* a,
                  const ProductMatrix& b) {
  Product product(c, c_stride, shape, a, b);
  const std::size_t groups = shape.groups;
  product.each_block([&](std::size_t block, std::size_t rows) {
    const std::size_t end = block + rows, first = block / rows_per_owner, last = (end - 1) / rows_per_owner;
    const auto each_owner = [&](const auto& body) {
      for (std::size_t o = first; o <= last; ++o) {
        const std::size_t row = std::max(block, o * rows_per_owner);
        body(o, row, std::min(end, (o + 1) * rows_per_owner) - row);
      }
    };
    // What all rows of the block have in common is one sweep; before and after it each owner has its own few groups.
    each_owner([&](std::size_t o, std::size_t row, std::size_t count) { product.add(block, row, count, o + 1, last + 1); });
    product.add(block, block, rows, last + 1, groups);
    product.add(block, block, rows, 0, first + 1);
    each_owner([&](std::size_t o, std::size_t row, std::size_t count) { product.add(block, row, count, first + 1, o + 1); });
  });
}

void chain_product(float* c, std::size_t c_stride, const ProductShape& shape, std::span<const GroupRun> runs, const float* a,
                   const ProductMatrix& b) {
  Product product(c, c_stride, shape, a, b);
  product.each_block([&](std::size_t block, std::size_t rows) {
    for (const GroupRun& run : runs)
      for (std::size_t time = 0; time < run.times; ++time) {
        const AlignedVector<float> before = run.times > 1 ? product.sums() : AlignedVector<float>();
        product.add(block, block, rows, run.first, run.first + run.count);
        // Sums that a run leaves as they are stay so.
        if (run.times > 1 && std::memcmp(before.data(), product.sums().data(), before.size() * sizeof(float)) == 0) break;
      }
  });
}

}  // namespace wafersim::sim::numerics
