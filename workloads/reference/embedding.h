#pragma once
// Embedding of tokens, positions and token types, and its gradient, which MemoryX scatters (workloads/NUMERICS.md 1, 15).

#include <cstdint>
#include <vector>

#include "workloads/reference/tiles.h"

namespace wafersim::workloads::reference {

// Where the rows of tokens and positions begin, and the row that all tokens have in common; null: none.
template <typename Value>
struct EmbeddingRows {
  Value* token = nullptr;     // [vocabulary][width]
  Value* position = nullptr;  // [positions][width]
  Value* type = nullptr;      // [width]
};

// rows: as on the wire; tokens [sample * sequence + position].
Tiles embedding(const Layout& layout, sim::Dtype type, const FeatureMap& map, int width, const EmbeddingRows<const float>& rows,
                const std::vector<std::uint32_t>& tokens);

// Adds each token's dx to the gradients of its rows, tokens in ascending order.
void embedding_gradient(const Layout& layout, const FeatureMap& map, int width, const Tiles& dx, const std::vector<std::uint32_t>& tokens,
                        const EmbeddingRows<float>& gradients);

}  // namespace wafersim::workloads::reference
