#pragma once
// Linear layers (workloads/NUMERICS.md 2, 9, 10) and their sums, which the unembedding shares.

#include <functional>
#include <vector>

#include "workloads/reference/tiles.h"

namespace wafersim::workloads::reference {

// The weights of a true output as they leave MemoryX, or their gradients: that of true input i is first[i * stride].
template <typename Value>
struct OutputWeights {
  Value* first = nullptr;
  std::size_t stride = 1;
};
using Weights = std::function<OutputWeights<const float>(int output)>;
using WeightGradients = std::function<OutputWeights<float>(int output)>;
using Bias = std::function<float(int output)>;

// The weights by places, [place of output][place of input] or transposed, +0 where either is padding.
std::vector<float> place_weights(const Weights& weights, const FeatureMap& inputs, const FeatureMap& outputs);
std::vector<float> place_weights_transposed(const Weights& weights, const FeatureMap& inputs, const FeatureMap& outputs);

// y[j] = rowsum over columns of chain fma(x[i], matrix[j][i]), fp32, not rounded; `places` of y a column.
Tiles contract(const Layout& layout, const Tiles& x, int places, const std::vector<float>& matrix);

// y[j] += bias of j, where there is one; +0 in padding.
void add_bias(const FeatureMap& y_map, const Layout& layout, const Bias& bias, Tiles& y);

// y = q(contract + bias)
Tiles linear(const Layout& layout, sim::Dtype type, const Tiles& x, const FeatureMap& x_map, const FeatureMap& y_map,
             const Weights& weights, const Bias& bias);

// dx = q(contract of dy with the transposed matrix).
Tiles linear_input_gradient(const Layout& layout, sim::Dtype type, const Tiles& dy, const FeatureMap& y_map, const FeatureMap& x_map,
                            const Weights& weights);

// The gradient that leaves the wafer for each true input and true output.
void matrix_gradient(const Layout& layout, const Tiles& x, const FeatureMap& x_map, const Tiles& dy, const FeatureMap& y_map,
                     const WeightGradients& gradients);

// Calls store(j, g), g = sum of dy over tokens, for each true output j: chain over slots, column sum at the column of j.
using StoreVector = std::function<void(int output, float gradient)>;
void bias_gradient(const Layout& layout, const Tiles& dy, const FeatureMap& y_map, const StoreVector& store);

// What leaves the wafer as the sum over tokens of dy * x at one place: chain of fma over slots, column sum. A gain's gradient.
float gain_gradient(const Layout& layout, const Tiles& dy, const Tiles& x, int column, int place);

}  // namespace wafersim::workloads::reference
