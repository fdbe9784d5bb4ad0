#pragma once
// Root-mean-square norm, forward and backward (workloads/NUMERICS.md 21).

#include "workloads/reference/tiles.h"

namespace wafersim::workloads::reference {

struct RmsNorm {
  Tiles y;
  Tiles rstd;  // one place, fp32
};

// `features`: true width; gain [features] as on the wire.
RmsNorm rms_norm(const Layout& layout, sim::Dtype type, const Tiles& x, const FeatureMap& map, int features, float epsilon,
                 const float* gain);

// Writes the gradient of the gain as it leaves the wafer to gain_out; returns dx.
Tiles rms_norm_gradient(const Layout& layout, sim::Dtype type, const Tiles& x, const Tiles& rstd, const Tiles& dy, const FeatureMap& map,
                        int features, const float* gain, float* gain_out);

}  // namespace wafersim::workloads::reference
