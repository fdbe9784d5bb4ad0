#pragma once
// Linear layers (workloads/NUMERICS.md 2, 9, 10) and their sums, which the unembedding shares.

#include <functional>
#include <vector>

#include "workloads/reference/tiles.h"

namespace wafersim::workloads::reference {

// A matrix as it leaves MemoryX: element (input feature, output feature), +0 where either is padding (-1).
class WireMatrix {
 public:
  // `transposed` false: values [in][outputs]; true: values [out][inputs]. `stride` is the length of a row of values.
  WireMatrix(const float* values, int stride, bool transposed) : values_(values), stride_(stride), transposed_(transposed) {}
  float at(int in, int out) const {
    if (in < 0 || out < 0) return 0.0f;
    const int row = transposed_ ? out : in;
    const int column = transposed_ ? in : out;
    return values_[static_cast<std::size_t>(row) * static_cast<std::size_t>(stride_) + static_cast<std::size_t>(column)];
  }

 private:
  const float* values_;
  int stride_;
  bool transposed_;
};

// y[j] = rowsum over columns of chain fma(x[i], w(i, j)), fp32, not rounded; without bias. Also the input gradient with the roles of
// inputs and outputs exchanged: `weight(i, j)` gets the features of the places of x and y.
using Weight = std::function<float(int, int)>;
Tiles contract(const Layout& layout, const Tiles& x, const FeatureMap& x_map, const FeatureMap& y_map, const Weight& weight);

// y = q(contract + bias); bias [outputs] as on the wire.
Tiles linear(const Layout& layout, sim::Dtype type, const Tiles& x, const FeatureMap& x_map, const FeatureMap& y_map,
             const WireMatrix& matrix, const float* bias);

// dx = q(contract of dy with the transposed matrix).
Tiles linear_input_gradient(const Layout& layout, sim::Dtype type, const Tiles& dy, const FeatureMap& y_map, const FeatureMap& x_map,
                            const WireMatrix& matrix);

// Calls store(i, j, g) with the gradient that leaves the wafer for each true input i and true output j.
using StoreMatrix = std::function<void(int, int, float)>;
void matrix_gradient(const Layout& layout, const Tiles& x, const FeatureMap& x_map, const Tiles& dy, const FeatureMap& y_map,
                     const StoreMatrix& store);

// gradient[j] = sum of dy over tokens, for each true output j: chain over slots, column sum at the column of j, lanes.
void bias_gradient(const Layout& layout, const Tiles& dy, const FeatureMap& y_map, float* gradient);

}  // namespace wafersim::workloads::reference
