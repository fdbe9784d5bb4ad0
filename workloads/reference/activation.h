#pragma once
// Activations of the MLP besides the tanh form of GELU: its exact form, ReLU, and SiLU as a gate (workloads/NUMERICS.md 18, 19, 20).

#include "workloads/reference/tiles.h"

namespace wafersim::workloads::reference {

Tiles gelu_erf(sim::Dtype type, const Tiles& x);
Tiles gelu_erf_gradient(sim::Dtype type, const Tiles& x, const Tiles& dy);

Tiles relu(sim::Dtype type, const Tiles& x);
Tiles relu_gradient(sim::Dtype type, const Tiles& x, const Tiles& dy);

// x: places of the gate, then of the up projection; silu(gate) * up, and the gradient of both.
Tiles swiglu(const Layout& layout, sim::Dtype type, const Tiles& x);
Tiles swiglu_gradient(const Layout& layout, sim::Dtype type, const Tiles& x, const Tiles& dy);

}  // namespace wafersim::workloads::reference
