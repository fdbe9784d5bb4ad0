#pragma once
// Layer norm, forward and backward (workloads/NUMERICS.md 3, 11).

#include "workloads/reference/tiles.h"

namespace wafersim::workloads::reference {

struct LayerNorm {
  Tiles y;
  Tiles mean;  // one place, fp32
  Tiles rstd;  // one place, fp32
};

// `features`: true width; gain, bias [features] as on the wire.
LayerNorm layer_norm(const Layout& layout, sim::Dtype type, const Tiles& x, const FeatureMap& map, int features, float epsilon,
                     const float* gain, const float* bias);

// Writes the gradients of gain and bias as they leave the wafer to `..._out`; returns dx.
Tiles layer_norm_gradient(const Layout& layout, sim::Dtype type, const Tiles& x, const Tiles& mean, const Tiles& rstd, const Tiles& dy,
                          const FeatureMap& map, int features, const float* gain, float* gain_out, float* bias_out);

}  // namespace wafersim::workloads::reference
