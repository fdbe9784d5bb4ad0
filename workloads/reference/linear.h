#pragma once
// Linear layers (workloads/NUMERICS.md 2, 9, 10) and their sums, which the unembedding shares.

#include <functional>
#include <vector>

#include "workloads/reference/tiles.h"

namespace wafersim::workloads::reference {

// Weight between an input and an output as it leaves MemoryX, +0 where either is padding (-1); bias of a true output.
using Weight = std::function<float(int input, int output)>;
using Bias = std::function<float(int output)>;

// y[j] = rowsum over columns of chain fma(x[i], w(i, j)), fp32, not rounded; without bias. Also the input gradient with the roles of
// inputs and outputs exchanged: `weight(i, j)` gets the features of the places of x and y.
Tiles contract(const Layout& layout, const Tiles& x, const FeatureMap& x_map, const FeatureMap& y_map, const Weight& weight);

// y[j] += bias of j, where there is one; +0 in padding.
void add_bias(const FeatureMap& y_map, const Layout& layout, const Bias& bias, Tiles& y);

// y = q(contract + bias)
Tiles linear(const Layout& layout, sim::Dtype type, const Tiles& x, const FeatureMap& x_map, const FeatureMap& y_map, const Weight& weight,
             const Bias& bias);

// dx = q(contract of dy with the transposed matrix).
Tiles linear_input_gradient(const Layout& layout, sim::Dtype type, const Tiles& dy, const FeatureMap& y_map, const FeatureMap& x_map,
                            const Weight& weight);

// Calls store(i, j, g) with the gradient that leaves the wafer for each true input i and true output j.
using StoreMatrix = std::function<void(int input, int output, float gradient)>;
void matrix_gradient(const Layout& layout, const Tiles& x, const FeatureMap& x_map, const Tiles& dy, const FeatureMap& y_map,
                     const StoreMatrix& store);

// Calls store(j, g), g = sum of dy over tokens, for each true output j: chain over slots, column sum at the column of j.
using StoreVector = std::function<void(int output, float gradient)>;
void bias_gradient(const Layout& layout, const Tiles& dy, const FeatureMap& y_map, const StoreVector& store);

// What leaves the wafer as the sum over tokens of dy * x at one place: chain of fma over slots, column sum. A gain's gradient.
float gain_gradient(const Layout& layout, const Tiles& dy, const Tiles& x, int column, int place);

}  // namespace wafersim::workloads::reference
