#pragma once
// Rotation of queries and keys by their positions, and back (workloads/NUMERICS.md 22). Values pass unchanged.

#include "workloads/model_shape.h"
#include "workloads/reference/tiles.h"

namespace wafersim::workloads::reference {

Tiles rotary(const ModelShape& shape, const Layout& layout, sim::Dtype type, const Tiles& qkv);
Tiles rotary_gradient(const ModelShape& shape, const Layout& layout, sim::Dtype type, const Tiles& dqkv);

}  // namespace wafersim::workloads::reference
