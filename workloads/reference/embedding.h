#pragma once
// Token and position embedding, and its gradient, which MemoryX scatters (workloads/NUMERICS.md 1, 15).

#include <cstdint>
#include <vector>

#include "workloads/reference/tiles.h"

namespace wafersim::workloads::reference {

// token_rows [vocabulary][width], position_rows [positions][width] (or null: none) as on the wire; tokens [sample * sequence + position].
Tiles embedding(const Layout& layout, sim::Dtype type, const FeatureMap& map, int width, const float* token_rows,
                const float* position_rows, const std::vector<std::uint32_t>& tokens);

// Adds each token's dx to its token's and, unless null, its position's row, tokens in ascending order.
void embedding_gradient(const Layout& layout, const FeatureMap& map, int width, const Tiles& dx, const std::vector<std::uint32_t>& tokens,
                        float* token_gradient, float* position_gradient);

}  // namespace wafersim::workloads::reference
