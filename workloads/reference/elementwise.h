#pragma once
// GELU in its tanh form and its derivative, and the additions of the residual stream (workloads/NUMERICS.md 5, 6, 13, 14).

#include "workloads/reference/tiles.h"

namespace wafersim::workloads::reference {

Tiles gelu(sim::Dtype type, const Tiles& x);
Tiles gelu_gradient(sim::Dtype type, const Tiles& x, const Tiles& dy);

// q(a + b): the residual forward, and where two gradients meet.
Tiles add(sim::Dtype type, const Tiles& a, const Tiles& b);

}  // namespace wafersim::workloads::reference
