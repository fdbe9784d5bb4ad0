#include "workloads/reference/linear.h"

#include <algorithm>

#include "sim/numerics/elementary.h"
#include "sim/numerics/vector_ops.h"

namespace wafersim::workloads::reference {

namespace numerics = sim::numerics;

Tiles contract(const Layout& layout, const Tiles& x, const FeatureMap& x_map, const FeatureMap& y_map, const Weight& weight) {
  Tiles y(layout, y_map.per_column);
  const auto t = static_cast<std::size_t>(x.slots());
  std::vector<float> arriving(x_map.feature.size());  // w'(i, j) for all places i
  std::vector<float> parts(static_cast<std::size_t>(layout.columns) * t);
  for (int owner = 0; owner < layout.columns; ++owner)
    for (int place = 0; place < y_map.per_column; ++place) {
      const int j = y_map.at(owner, place);
      for (std::size_t i = 0; i < arriving.size(); ++i) arriving[i] = weight(x_map.feature[i], j);
      for (int lane = 0; lane < layout.lanes; ++lane)
        for (int row = 0; row < layout.rows; ++row) {
          std::fill(parts.begin(), parts.end(), 0.0f);
          const float* in = x.at(lane, row, 0);
          for (std::size_t i = 0; i < arriving.size(); ++i)
            numerics::fma_scalar(&parts[i / static_cast<std::size_t>(x_map.per_column) * t], in + i * t, arriving[i], t);
          ring_sum(y.at(lane, row, owner, place), parts.data(), layout.columns, owner, t);
        }
    }
  return y;
}

void add_bias(const FeatureMap& y_map, const Layout& layout, const Bias& bias, Tiles& y) {
  if (!bias) return;
  for (int column = 0; column < layout.columns; ++column)
    for (int place = 0; place < y_map.per_column; ++place) {
      const int j = y_map.at(column, place);
      const float value = j < 0 ? 0.0f : bias(j);
      for (int lane = 0; lane < layout.lanes; ++lane)
        for (int row = 0; row < layout.rows; ++row) {
          float* out = y.at(lane, row, column, place);
          numerics::add_scalar(out, out, value, static_cast<std::size_t>(y.slots()));
        }
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

// The tiles of a row of PEs as [slot][column * places + place]: the outputs of a token lie side by side.
std::vector<float> by_slot(const Layout& layout, const Tiles& tiles, int lane, int row) {
  const std::size_t features = static_cast<std::size_t>(layout.columns) * static_cast<std::size_t>(tiles.places());
  const auto t = static_cast<std::size_t>(tiles.slots());
  std::vector<float> out(features * t);
  const float* in = tiles.at(lane, row, 0);
  for (std::size_t f = 0; f < features; ++f)
    for (std::size_t n = 0; n < t; ++n) out[n * features + f] = in[f * t + n];
  return out;
}

}  // namespace

void matrix_gradient(const Layout& layout, const Tiles& x, const FeatureMap& x_map, const Tiles& dy, const FeatureMap& y_map,
                     const StoreMatrix& store) {
  const std::size_t outputs = y_map.feature.size();
  const std::size_t pes = static_cast<std::size_t>(layout.lanes) * static_cast<std::size_t>(layout.rows);
  std::vector<std::vector<float>> dy_by_slot;
  for (int lane = 0; lane < layout.lanes; ++lane)
    for (int row = 0; row < layout.rows; ++row) dy_by_slot.push_back(by_slot(layout, dy, lane, row));
  std::vector<float> parts(pes * outputs);  // one input, all outputs, each PE of the input's columns
  for (int column = 0; column < layout.columns; ++column)
    for (int place = 0; place < x_map.per_column; ++place) {
      const int i = x_map.at(column, place);
      if (i < 0) continue;
      std::fill(parts.begin(), parts.end(), 0.0f);
      for (std::size_t pe = 0; pe < pes; ++pe) {
        const float* in = x.at(static_cast<int>(pe) / layout.rows, static_cast<int>(pe) % layout.rows, column, place);
        for (int n = 0; n < x.slots(); ++n)
          numerics::fma_scalar(&parts[pe * outputs], &dy_by_slot[pe][static_cast<std::size_t>(n) * outputs], in[n], outputs);
      }
      const std::vector<float> sum = leave_wafer(parts, outputs);
      for (std::size_t o = 0; o < outputs; ++o)
        if (const int j = y_map.feature[o]; j >= 0) store(i, j, sum[o]);
    }
}

void bias_gradient(const Layout& layout, const Tiles& dy, const FeatureMap& y_map, const StoreVector& store) {
  for (int column = 0; column < layout.columns; ++column)
    for (int place = 0; place < y_map.per_column; ++place) {
      const int j = y_map.at(column, place);
      if (j < 0) continue;
      std::vector<float> parts;
      for (int lane = 0; lane < layout.lanes; ++lane)
        for (int row = 0; row < layout.rows; ++row) {
          const float* in = dy.at(lane, row, column, place);
          float g = 0.0f;
          for (int n = 0; n < dy.slots(); ++n) g = numerics::add(g, in[n]);
          parts.push_back(g);
        }
      store(j, leave_wafer(parts, 1)[0]);
    }
}

}  // namespace wafersim::workloads::reference
