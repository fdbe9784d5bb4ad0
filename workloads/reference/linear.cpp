#include "workloads/reference/linear.h"

#include <array>

#include "sim/numerics/elementary.h"
#include "sim/numerics/ordered_product.h"
#include "sim/numerics/vector_ops.h"

namespace wafersim::workloads::reference {

namespace numerics = sim::numerics;

namespace {

// body(place of input, place of output, weight) for all true ones; outputs that may be neighbours in the store keep together.
template <typename Of, typename Body>
void each_weight(const Of& weights_of, const FeatureMap& inputs, const FeatureMap& outputs, const Body& body) {
  constexpr std::size_t most = 16;  // a cache line
  std::array<decltype(weights_of(0)), most> weights;
  std::array<std::size_t, most> place{};
  for (std::size_t o = 0; o < outputs.feature.size();) {
    std::size_t count = 0;
    for (; count < most && o < outputs.feature.size(); ++o) {
      if (outputs.feature[o] < 0) continue;
      place[count] = o;
      weights[count++] = weights_of(outputs.feature[o]);
    }
    for (std::size_t i = 0; i < inputs.feature.size(); ++i) {
      if (inputs.feature[i] < 0) continue;
      const auto input = static_cast<std::size_t>(inputs.feature[i]);
      for (std::size_t k = 0; k < count; ++k) body(i, place[k], weights[k].first[input * weights[k].stride]);
    }
  }
}

}  // namespace

std::vector<float> place_weights(const Weights& weights, const FeatureMap& inputs, const FeatureMap& outputs) {
  const std::size_t stride = inputs.feature.size();
  std::vector<float> matrix(outputs.feature.size() * stride);
  each_weight(weights, inputs, outputs, [&](std::size_t i, std::size_t j, float weight) { matrix[j * stride + i] = weight; });
  return matrix;
}

std::vector<float> place_weights_transposed(const Weights& weights, const FeatureMap& inputs, const FeatureMap& outputs) {
  const std::size_t stride = outputs.feature.size();
  std::vector<float> matrix(inputs.feature.size() * stride);
  each_weight(weights, inputs, outputs, [&](std::size_t i, std::size_t j, float weight) { matrix[i * stride + j] = weight; });
  return matrix;
}

Tiles contract(const Layout& layout, const Tiles& x, int places, const std::vector<float>& matrix) {
  Tiles y(layout, places);
  const auto columns = static_cast<std::size_t>(layout.columns), outputs = static_cast<std::size_t>(places);
  const numerics::ProductShape shape = {columns * outputs, x.tokens(), columns, static_cast<std::size_t>(x.places())};
  numerics::ring_product(y.values().data(), y.tokens(), shape, outputs, matrix.data(), {x.values().data(), x.tokens(), false});
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

Tiles linear(const Layout& layout, sim::Dtype type, const Tiles& x, const FeatureMap& x_map, const FeatureMap& y_map,
             const Weights& weights, const Bias& bias) {
  Tiles y = contract(layout, x, y_map.per_column, place_weights(weights, x_map, y_map));
  add_bias(y_map, layout, bias, y);
  round_to(type, y);
  return y;
}

Tiles linear_input_gradient(const Layout& layout, sim::Dtype type, const Tiles& dy, const FeatureMap& y_map, const FeatureMap& x_map,
                            const Weights& weights) {
  Tiles dx = contract(layout, dy, x_map.per_column, place_weights_transposed(weights, x_map, y_map));
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
                     const WeightGradients& gradients) {
  const std::vector<float> sums = sum_over_tokens(layout, x.values().data(), x_map.feature.size(), dy);
  const std::size_t stride = y_map.feature.size();
  each_weight(gradients, x_map, y_map, [&](std::size_t i, std::size_t j, float& gradient) { gradient = sums[i * stride + j]; });
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
