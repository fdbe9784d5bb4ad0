#pragma once
// Keys and values of a group for each of its query heads, and the sum of their gradients (workloads/NUMERICS.md 23).

#include "workloads/op.h"
#include "workloads/reference/tiles.h"

namespace wafersim::workloads::reference {

Tiles share_keys(const ModelShape& shape, const Layout& layout, const Tiles& grouped);
Tiles share_keys_gradient(const ModelShape& shape, const Layout& layout, sim::Dtype type, const Tiles& dqkv);

}  // namespace wafersim::workloads::reference
