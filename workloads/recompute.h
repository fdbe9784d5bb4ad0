#pragma once
// Which layers keep only their input in the forward pass, so that the backward pass computes their other activations again: a flag a
// layer. Empty: none.

#include <nlohmann/json_fwd.hpp>
#include <vector>

namespace wafersim::workloads {

using Recompute = std::vector<bool>;

// The first `count` of a model's layers. What the last ones keep is held for the shortest time.
Recompute recompute_first(int count, int layers);
int recomputed_layers(const Recompute& recompute);

// false: none; true: all; else the numbers of the layers, ascending. What mapping.recompute of a configuration takes.
nlohmann::ordered_json recompute_to_json(const Recompute& recompute);

}  // namespace wafersim::workloads
