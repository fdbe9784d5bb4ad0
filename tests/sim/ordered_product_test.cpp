// Products and sums of rows against the scalar functions in the order that the headers state, bit for bit, on every SIMD target.

#include "sim/numerics/ordered_product.h"

#include <bit>
#include <gtest/gtest.h>
#include <limits>
#include <string>
#include <vector>

#include "sim/numerics/elementary.h"
#include "sim/numerics/vector_ops.h"
#include "sim/random.h"

namespace wafersim::sim::numerics {
namespace {

// Values of very different size, so that another order gives other bits; a few zeros of either sign, subnormals and NaNs.
std::vector<float> values(std::size_t n, std::uint64_t stream) {
  std::vector<float> out;
  for (std::size_t k = 0; k < n; ++k) {
    const auto words = random_words(11, stream, k);
    float value = normal(11, stream, k);
    if (words[0] % 16 == 0) value *= 0x1p20f;
    if (words[0] % 64 == 1) value = words[1] % 2 ? 0.0f : -0.0f;
    if (words[0] % 64 == 2) value *= 0x1p-130f;
    if (words[0] % 4096 == 3) value = std::numeric_limits<float>::infinity();
    out.push_back(value);
  }
  return out;
}

std::vector<std::uint32_t> bits(const std::vector<float>& x) {
  std::vector<std::uint32_t> out;
  for (const float value : x) out.push_back(std::bit_cast<std::uint32_t>(value));
  return out;
}

// The chain of additions of one element of c over the groups in the given order.
float sum_in_order(const ProductShape& shape, const float* a, const ProductMatrix& b, std::size_t n,
                   const std::vector<std::size_t>& order) {
  float sum = 0.0f;
  for (std::size_t at = 0; at < order.size(); ++at) {
    float p = 0.0f;
    for (std::size_t k = order[at] * shape.depth; k < (order[at] + 1) * shape.depth; ++k)
      p = fma(a[k], b.values[b.transposed ? n * b.stride + k : k * b.stride + n], p);
    sum = at == 0 ? p : add(p, sum);
  }
  return sum;
}

class OrderedProduct : public ::testing::Test {
 protected:
  template <typename Body>
  static void on_every_target(const Body& body) {
    for (const char* target : available_targets()) {
      SCOPED_TRACE(target);
      force_target(target);
      body();
    }
  }
  void TearDown() override { force_target(""); }
};

TEST_F(OrderedProduct, OfARingStartsBehindTheOwnerOfEachRow) {
  struct Case {
    std::size_t groups, depth, rows_per_owner, columns;
  };
  for (const Case& c : {Case{1, 3, 7, 5}, Case{2, 1, 1, 33}, Case{4, 2, 2, 50}, Case{9, 5, 1, 16}, Case{5, 2, 8, 70}, Case{16, 1, 3, 31}}) {
    const ProductShape shape = {c.groups * c.rows_per_owner, c.columns, c.groups, c.depth};
    const std::size_t terms = c.groups * c.depth;
    const std::vector<float> a = values(shape.rows * terms, 0), b = values(terms * c.columns, 1);
    const ProductMatrix matrix = {b.data(), c.columns, false};
    std::vector<float> expected(shape.rows * c.columns);
    for (std::size_t m = 0; m < shape.rows; ++m) {
      std::vector<std::size_t> order;
      for (std::size_t g = 1; g <= c.groups; ++g) order.push_back((m / c.rows_per_owner + g) % c.groups);
      for (std::size_t n = 0; n < c.columns; ++n) expected[m * c.columns + n] = sum_in_order(shape, &a[m * terms], matrix, n, order);
    }
    on_every_target([&] {
      std::vector<float> product(expected.size());
      ring_product(product.data(), c.columns, shape, c.rows_per_owner, a.data(), matrix);
      EXPECT_EQ(bits(product), bits(expected)) << c.groups << " groups, " << c.rows_per_owner << " rows an owner";
    });
  }
}

TEST_F(OrderedProduct, OfAColumnTakesItsRunsInTurnAndRepeatsThem) {
  const ProductShape shape = {8, 37, 6, 2};
  const std::vector<float> a = values(shape.rows * 12, 2), b = values(shape.columns * 14, 3);
  const ProductMatrix matrix = {b.data(), 14, true};
  const std::vector<GroupRun> runs = {{0, 3, 1}, {2, 1, 40}, {3, 3, 1}};
  std::vector<std::size_t> order = {0, 1, 2};
  order.insert(order.end(), 40, 2);
  order.insert(order.end(), {3, 4, 5});
  std::vector<float> expected(shape.rows * shape.columns);
  for (std::size_t m = 0; m < shape.rows; ++m)
    for (std::size_t n = 0; n < shape.columns; ++n) expected[m * shape.columns + n] = sum_in_order(shape, &a[m * 12], matrix, n, order);
  on_every_target([&] {
    std::vector<float> product(shape.rows * 40, 7.0f);
    chain_product(product.data(), 40, shape, runs, a.data(), matrix);
    for (std::size_t m = 0; m < shape.rows; ++m) {
      const std::vector<float> row(product.begin() + static_cast<std::ptrdiff_t>(m * 40),
                                   product.begin() + static_cast<std::ptrdiff_t>(m * 40 + shape.columns));
      const auto first = expected.begin() + static_cast<std::ptrdiff_t>(m * shape.columns);
      EXPECT_EQ(bits(row), bits({first, first + static_cast<std::ptrdiff_t>(shape.columns)})) << "row " << m;
      for (std::size_t n = shape.columns; n < 40; ++n) EXPECT_EQ(product[m * 40 + n], 7.0f) << "behind the columns";
    }
  });
}

TEST_F(OrderedProduct, OfVectorsSideBySideStartsWithTheGivenGroup) {
  constexpr std::size_t groups = 5, depth = 3, stride = 53;
  const std::vector<float> x = values(groups * depth * stride, 4), y = values(groups * depth * stride, 5);
  for (std::size_t n = 0; n <= stride; ++n)
    for (std::size_t first = 0; first < groups; ++first) {
      std::vector<float> expected(stride, 7.0f);
      for (std::size_t k = 0; k < n; ++k) {
        std::vector<float> a;
        for (std::size_t i = 0; i < groups * depth; ++i) a.push_back(x[i * stride + k]);
        std::vector<std::size_t> order;
        for (std::size_t g = 0; g < groups; ++g) order.push_back((first + g) % groups);
        expected[k] = sum_in_order({1, stride, groups, depth}, a.data(), {y.data(), stride, false}, k, order);
      }
      on_every_target([&] {
        std::vector<float> out(stride, 7.0f);
        ring_dot(out.data(), x.data(), y.data(), stride, groups, depth, first, n);
        ASSERT_EQ(bits(out), bits(expected)) << "n = " << n << ", first group " << first;
      });
    }
}

TEST_F(OrderedProduct, OfRowsWithACommonFactorTouchesNothingElse) {
  constexpr std::size_t rows = 4, stride = 41;
  const std::vector<float> x = values(rows * stride, 6), s = values(stride, 7), start = values(rows * stride, 8);
  for (std::size_t n = 0; n <= stride; ++n) {
    std::vector<float> added = start, multiplied = start;
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t k = 0; k < n; ++k) {
        added[i * stride + k] = fma(x[i * stride + k], s[k], start[i * stride + k]);
        multiplied[i * stride + k] = mul(start[i * stride + k], s[k]);
      }
    on_every_target([&] {
      std::vector<float> acc = start;
      fma_rows(acc.data(), x.data(), s.data(), stride, rows, n);
      ASSERT_EQ(bits(acc), bits(added)) << "n = " << n;
      acc = start;
      mul_rows(acc.data(), s.data(), stride, rows, n);
      ASSERT_EQ(bits(acc), bits(multiplied)) << "n = " << n;
    });
  }
}

}  // namespace
}  // namespace wafersim::sim::numerics
