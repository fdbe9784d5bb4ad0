// Every backward rule of the reference against central differences of its forward, element by element, in fp32 on a padded layout.
// The objective is sum(r * y) with fixed random r, added in double; Richardson's extrapolation removes the leading error of the
// differences, what is left (1e-4 and less of the largest derivative) comes from fp32.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <gtest/gtest.h>

#include "sim/random.h"
#include "workloads/op.h"
#include "workloads/reference/activation.h"
#include "workloads/reference/attention.h"
#include "workloads/reference/elementwise.h"
#include "workloads/reference/embedding.h"
#include "workloads/reference/linear.h"
#include "workloads/reference/loss.h"
#include "workloads/reference/norm.h"
#include "workloads/reference/rms_norm.h"
#include "workloads/reference/rotary.h"
#include "workloads/reference/share_keys.h"

namespace wafersim::workloads::reference {
namespace {

constexpr sim::Dtype f32 = sim::Dtype::f32;
constexpr int heads = 2;
constexpr int head = 3;
constexpr int width = heads * head;

// Three samples of five tokens on two lanes of four columns and five rows: an empty sample, padded slots, padded features, a spare row.
Layout padded_layout() {
  Layout layout;
  layout.lanes = 2;
  layout.columns = 4;
  layout.rows = 5;
  layout.batch = 3;
  layout.sequence = 5;
  layout.heads = heads;
  layout.columns_per_head = 2;
  layout.samples_per_lane = 2;
  layout.rows_per_sequence = 2;
  layout.tokens_per_pe = 3;
  return layout;
}

ModelShape plain_shape() {
  ModelShape shape;
  shape.width = width;
  shape.heads = heads;
  return shape;
}

std::vector<float> random_values(std::size_t count, std::uint64_t stream) {
  std::vector<float> out;
  for (std::size_t k = 0; k < count; ++k) out.push_back(sim::normal(5, stream, k));
  return out;
}

class FiniteDifference : public testing::Test {
 protected:
  // Positions in values() of what is no padding.
  std::vector<std::size_t> true_elements(const FeatureMap& map) const {
    const Tiles tiles(layout_, map.per_column);
    std::vector<std::size_t> out;
    for (int lane = 0; lane < layout_.lanes; ++lane)
      for (int row = 0; row < layout_.rows; ++row)
        for (int slot = 0; slot < layout_.tokens_per_pe; ++slot)
          for (int c = 0; c < layout_.columns && layout_.token(lane, row, slot).sample >= 0; ++c)
            for (int i = 0; i < map.per_column; ++i)
              if (map.at(c, i) >= 0)
                out.push_back(static_cast<std::size_t>(tiles.at(lane, row, c, i) - tiles.values().data()) + static_cast<std::size_t>(slot));
    return out;
  }

  // Normal values where no padding is, +0 elsewhere.
  Tiles random_tiles(const FeatureMap& map, std::uint64_t stream) const {
    Tiles tiles(layout_, map.per_column);
    for (const std::size_t e : true_elements(map)) tiles.values()[e] = sim::normal(5, stream, e);
    return tiles;
  }

  static double objective(const Tiles& y, const Tiles& r) {
    double sum = 0.0;
    for (std::size_t e = 0; e < y.values().size(); ++e) sum += static_cast<double>(y.values()[e]) * static_cast<double>(r.values()[e]);
    return sum;
  }

  // derivative[e] is that of f by values[e], for each of the elements; f reads `values`.
  static void expect_derivative(std::vector<float>& values, const std::vector<std::size_t>& elements, const std::vector<float>& derivative,
                                const std::function<double()>& f) {
    double largest = 0.0;
    for (const std::size_t e : elements) largest = std::max(largest, std::abs(static_cast<double>(derivative[e])));
    ASSERT_GT(largest, 0.0);
    for (const std::size_t e : elements) {
      const float centre = values[e];
      const auto difference = [&](float h) {
        values[e] = centre + h;
        const double up = f();
        const float above = values[e];
        values[e] = centre - h;
        const double down = f();
        const double span = static_cast<double>(above) - static_cast<double>(values[e]);
        values[e] = centre;
        return (up - down) / span;
      };
      const double measured = (4.0 * difference(0.03125f) - difference(0.0625f)) / 3.0;
      ASSERT_NEAR(measured, derivative[e], 1e-3 * largest) << "element " << e;
    }
  }

  static std::vector<std::size_t> all(std::size_t count) {
    std::vector<std::size_t> out;
    for (std::size_t e = 0; e < count; ++e) out.push_back(e);
    return out;
  }

  Layout layout_ = padded_layout();
  FeatureMap residual_ = contiguous_features(width, layout_.columns);
  ModelShape shape_ = plain_shape();
  FeatureMap heads_ = feature_map(Features::heads, shape_, layout_);
  FeatureMap qkv_ = feature_map(Features::qkv, shape_, layout_);
};

TEST_F(FiniteDifference, LinearInputWeightAndBias) {
  Tiles x = random_tiles(residual_, 0);
  const Tiles r = random_tiles(qkv_, 1);
  std::vector<float> weights = random_values(width * 3 * width, 2);
  std::vector<float> bias = random_values(3 * width, 3);
  const Weights matrix = [&](int j) -> OutputWeights<const float> { return {&weights[static_cast<std::size_t>(j)], 3 * width}; };
  const auto f = [&] {
    return objective(linear(layout_, f32, x, residual_, qkv_, matrix, [&](int j) { return bias[static_cast<std::size_t>(j)]; }), r);
  };
  std::vector<float> dw(weights.size());
  std::vector<float> db(bias.size());
  const Tiles dx = linear_input_gradient(layout_, f32, r, qkv_, residual_, matrix);
  matrix_gradient(layout_, x, residual_, r, qkv_, [&](int j) -> OutputWeights<float> {
    return {&dw[static_cast<std::size_t>(j)], 3 * width};
  });
  bias_gradient(layout_, r, qkv_, [&](int j, float g) { db[static_cast<std::size_t>(j)] = g; });
  expect_derivative(x.values(), true_elements(residual_), dx.values(), f);
  expect_derivative(weights, all(weights.size()), dw, f);
  expect_derivative(bias, all(bias.size()), db, f);
}

TEST_F(FiniteDifference, LayerNormInputGainAndBias) {
  Tiles x = random_tiles(residual_, 0);
  const Tiles r = random_tiles(residual_, 1);
  std::vector<float> gain = random_values(width, 2);
  std::vector<float> bias = random_values(width, 3);
  const auto norm = [&] { return layer_norm(layout_, f32, x, residual_, width, 0.1f, gain.data(), bias.data()); };
  const auto f = [&] { return objective(norm().y, r); };
  const LayerNorm forward = norm();
  std::vector<float> dgain(gain.size());
  std::vector<float> dbias(bias.size());
  const Tiles dx =
      layer_norm_gradient(layout_, f32, x, forward.mean, forward.rstd, r, residual_, width, gain.data(), dgain.data(), dbias.data());
  expect_derivative(x.values(), true_elements(residual_), dx.values(), f);
  expect_derivative(gain, all(gain.size()), dgain, f);
  expect_derivative(bias, all(bias.size()), dbias, f);
}

TEST_F(FiniteDifference, AttentionQueriesKeysAndValues) {
  Tiles qkv = random_tiles(qkv_, 0);
  const Tiles r = random_tiles(heads_, 1);
  for (const bool causal : {true, false}) {
    const AttentionForm form{head, causal};
    const auto f = [&] { return objective(attention(layout_, f32, qkv, form).out, r); };
    const Attention forward = attention(layout_, f32, qkv, form);
    const Tiles dqkv = attention_gradient(layout_, f32, qkv, forward.out, forward.lse, r, form);
    expect_derivative(qkv.values(), true_elements(qkv_), dqkv.values(), f);
  }
}

TEST_F(FiniteDifference, Gelu) {
  Tiles x = random_tiles(residual_, 0);
  const Tiles r = random_tiles(residual_, 1);
  const Tiles dx = gelu_gradient(f32, x, r);
  expect_derivative(x.values(), true_elements(residual_), dx.values(), [&] { return objective(gelu(f32, x), r); });
}

TEST_F(FiniteDifference, LossInputUnembeddingAndItsBias) {
  constexpr int vocabulary = 13;
  Tiles x = random_tiles(residual_, 0);
  std::vector<float> weights = random_values(vocabulary * width, 1);
  std::vector<float> biases = random_values(vocabulary, 3);
  std::vector<std::uint32_t> targets;
  for (std::uint64_t k = 0; k < 15; ++k) targets.push_back(static_cast<std::uint32_t>(sim::uniform_below(vocabulary, 5, 2, k)));
  const LossSetting setting{vocabulary, 2, &targets};
  const Weights matrix = [&](int j) -> OutputWeights<const float> { return {&weights[static_cast<std::size_t>(j) * width], 1}; };
  const Bias bias = [&](int j) { return biases[static_cast<std::size_t>(j)]; };
  const auto f = [&] { return static_cast<double>(loss(layout_, setting, x, residual_, matrix, bias).sum); };
  std::vector<float> dw(weights.size());
  std::vector<float> db(biases.size());
  const Tiles lse = loss(layout_, setting, x, residual_, matrix, bias).lse;
  const Tiles dx = loss_gradient(layout_, f32, setting, x, lse, residual_, matrix, bias, 1.0f,
                                 {[&](int j) -> OutputWeights<float> {
                                    return {&dw[static_cast<std::size_t>(j) * width], 1};
                                  },
                                  [&](int j, float g) { db[static_cast<std::size_t>(j)] = g; }});
  expect_derivative(x.values(), true_elements(residual_), dx.values(), f);
  expect_derivative(weights, all(weights.size()), dw, f);
  expect_derivative(biases, all(biases.size()), db, f);
}

TEST_F(FiniteDifference, RmsNormInputAndGain) {
  Tiles x = random_tiles(residual_, 0);
  const Tiles r = random_tiles(residual_, 1);
  std::vector<float> gain = random_values(width, 2);
  const auto norm = [&] { return rms_norm(layout_, f32, x, residual_, width, 0.1f, gain.data()); };
  const auto f = [&] { return objective(norm().y, r); };
  std::vector<float> dgain(gain.size());
  const Tiles dx = rms_norm_gradient(layout_, f32, x, norm().rstd, r, residual_, width, gain.data(), dgain.data());
  expect_derivative(x.values(), true_elements(residual_), dx.values(), f);
  expect_derivative(gain, all(gain.size()), dgain, f);
}

TEST_F(FiniteDifference, GeluInItsExactForm) {
  Tiles x = random_tiles(residual_, 0);
  const Tiles r = random_tiles(residual_, 1);
  const Tiles dx = gelu_erf_gradient(f32, x, r);
  expect_derivative(x.values(), true_elements(residual_), dx.values(), [&] { return objective(gelu_erf(f32, x), r); });
}

TEST_F(FiniteDifference, ReluAwayFromItsCorner) {
  Tiles x = random_tiles(residual_, 0);
  for (float& value : x.values()) value += value < 0.0f ? -0.125f : 0.125f;
  const Tiles r = random_tiles(residual_, 1);
  const Tiles dx = relu_gradient(f32, x, r);
  expect_derivative(x.values(), true_elements(residual_), dx.values(), [&] { return objective(relu(f32, x), r); });
}

TEST_F(FiniteDifference, GateAndUpOfSwiglu) {
  const FeatureMap pair = stack_features(residual_, 2, width);
  Tiles x = random_tiles(pair, 0);
  const Tiles r = random_tiles(residual_, 1);
  const Tiles dx = swiglu_gradient(layout_, f32, x, r);
  expect_derivative(x.values(), true_elements(pair), dx.values(), [&] { return objective(swiglu(layout_, f32, x), r); });
}

// Two query heads of 3 features in two columns share one head of keys: slices of one row; two features of a head are rotated.
ModelShape grouped_shape(Family family) {
  ModelShape shape = plain_shape();
  shape.family = family;
  shape.kv_heads = 1;
  shape.rotary = 2;
  shape.rotary_base = 100.0;
  return shape;
}

TEST_F(FiniteDifference, QueriesKeysAndValuesThatGroupsShareAndPositionsRotate) {
  for (const Family family : {Family::gptj, Family::llama}) {
    const ModelShape shape = grouped_shape(family);
    const FeatureMap grouped = feature_map(Features::grouped_qkv, shape, layout_), shared = feature_map(Features::qkv, shape, layout_);
    Tiles x = random_tiles(grouped, 0);
    const Tiles r = random_tiles(shared, 1);
    const auto f = [&] { return objective(rotary(shape, layout_, f32, share_keys(shape, layout_, x)), r); };
    const Tiles dx = share_keys_gradient(shape, layout_, f32, rotary_gradient(shape, layout_, f32, r));
    expect_derivative(x.values(), true_elements(grouped), dx.values(), f);
  }
}

TEST_F(FiniteDifference, EmbeddingTokensPositionsAndTypes) {
  const Tiles r = random_tiles(residual_, 0);
  std::vector<float> token_rows = random_values(7 * width, 1);
  std::vector<float> position_rows = random_values(9 * width, 2);
  std::vector<std::uint32_t> tokens;
  for (std::uint64_t k = 0; k < 15; ++k) tokens.push_back(static_cast<std::uint32_t>(sim::uniform_below(7, 5, 3, k)));
  std::vector<float> type_row = random_values(width, 4);
  const auto f = [&] {
    return objective(embedding(layout_, f32, residual_, width, {token_rows.data(), position_rows.data(), type_row.data()}, tokens), r);
  };
  std::vector<float> dtoken(token_rows.size());
  std::vector<float> dposition(position_rows.size());
  std::vector<float> dtype(width);
  embedding_gradient(layout_, residual_, width, r, tokens, {dtoken.data(), dposition.data(), dtype.data()});
  expect_derivative(type_row, all(width), dtype, f);
  expect_derivative(token_rows, all(token_rows.size()), dtoken, f);
  expect_derivative(position_rows, all(position_rows.size()), dposition, f);
}

}  // namespace
}  // namespace wafersim::workloads::reference
