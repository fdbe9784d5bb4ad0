#include "workloads/reference/linear.h"

#include "sim/numerics/elementary.h"
#include "sim/numerics/ordered_product.h"
#include "sim/numerics/vector_ops.h"

namespace wafersim::workloads::reference {

namespace numerics = sim::numerics;

Tiles contract(const Layout& layout, const Tiles& x, const FeatureMap& x_map, const FeatureMap& y_map, const Weight& weight) {
  Tiles y(layout, y_map.per_column);
  std::vector<float> matrix;  // [place of y][place of x]
  matrix.reserve(y_map.feature.size() * x_map.feature.size());
  for (const int j : y_map.feature)
    for (const int i : x_map.feature) matrix.push_back(weight(i, j));
  const numerics::ProductShape shape = {y_map.feature.size(), x.tokens(), static_cast<std::size_t>(layout.columns),
                                        static_cast<std::size_t>(x_map.per_column)};
  numerics::ring_product(y.values().data(), y.tokens(), shape, static_cast<std::size_t>(y_map.per_column), matrix.data(),
                         {x.values().data(), x.tokens(), false});
  return y;
}

void add_bias(const FeatureMap& y_map, const Layout& layout, const Bias& bias, Tiles& y) {
  if (!bias) return;
  for (int column = 0; column < layout.columns; ++column)
    for (int place = 0; place < y_map.per_column; ++place) {
      const int j = y_map.at(column, place);
      float* out = y.feature(column, place);
      numerics::add_scalar(out, out, j < 0 ? 0.0f : bias(j), y.tokens());
    }
}

Tiles linear(const Layout& layout, sim::Dtype type, const Tiles& x, const FeatureMap& x_map, const FeatureMap& y_map, const Weight& weight,
             const Bias& bias) {
  Tiles y = contract(layout, x, x_map, y_map, weight);
  add_bias(y_map, layout, bias, y);
  round_to(type, y);
  return y;
}

Tiles linear_input_gradient(const Layout& layout, sim::Dtype type, const Tiles& dy, const FeatureMap& y_map, const FeatureMap& x_map,
                            const Weight& weight) {
  Tiles dx = contract(layout, dy, y_map, x_map, [&](int j, int i) { return weight(i, j); });
  round_to(type, dx);
  return dx;
}

namespace {

// The sums over tokens at each PE of factors [row][token] times dy, down the columns: [row][place of dy].
std::vector<float> sum_over_tokens(const Layout& layout, const float* factors, std::size_t rows, const Tiles& dy) {
  const std::size_t outputs = dy.values().size() / dy.tokens();
  std::vector<float> sums(rows * outputs);
  const auto slots = static_cast<std::size_t>(dy.slots());
  numerics::chain_product(sums.data(), outputs, {rows, outputs, dy.tokens() / slots, slots}, column_order(layout), factors,
                          {dy.values().data(), dy.tokens(), true});
  return sums;
}

}  // namespace

void matrix_gradient(const Layout& layout, const Tiles& x, const FeatureMap& x_map, const Tiles& dy, const FeatureMap& y_map,
                     const StoreMatrix& store) {
  const std::vector<float> sums = sum_over_tokens(layout, x.values().data(), x_map.feature.size(), dy);
  const float* sum = sums.data();
  for (const int i : x_map.feature)
    for (const int j : y_map.feature) {
      if (i >= 0 && j >= 0) store(i, j, *sum);
      ++sum;
    }
}

void bias_gradient(const Layout& layout, const Tiles& dy, const FeatureMap& y_map, const StoreVector& store) {
  const std::vector<float> ones(dy.tokens(), 1.0f);  // fma(1, dy, g) is dy + g
  const std::vector<float> sums = sum_over_tokens(layout, ones.data(), 1, dy);
  for (std::size_t o = 0; o < sums.size(); ++o)
    if (const int j = y_map.feature[o]; j >= 0) store(j, sums[o]);
}

float gain_gradient(const Layout& layout, const Tiles& dy, const Tiles& x, int column, int place) {
  const float *a = dy.feature(column, place), *b = x.feature(column, place);
  const auto slots = static_cast<std::size_t>(dy.slots());
  std::vector<float> parts(dy.tokens() / slots);
  for (std::size_t pe = 0; pe < parts.size(); ++pe)
    for (std::size_t n = pe * slots; n < (pe + 1) * slots; ++n) parts[pe] = numerics::fma(a[n], b[n], parts[pe]);
  return leave_wafer(layout, parts);
}

}  // namespace wafersim::workloads::reference
