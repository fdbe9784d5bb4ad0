#pragma once
// What MemoryX has to know of a training run beside the streams: where the embeddings lie, how a batch is shaped, how weights are updated.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "memoryx/update.h"

namespace wafersim::memoryx {

// Rows of the embedding tables in the parameter store, in elements.
struct EmbeddingPlace {
  std::size_t token = 0;                // row of token id 0
  std::optional<std::size_t> position;  // row of position 0, where positions have rows
  std::optional<std::size_t> type;      // row of token type 0, which all tokens have, where types have rows
  int width = 0;                        // elements a row
};

struct TrainingSpec {
  UpdateSpec update;
  EmbeddingPlace embedding;
  int batch = 1;     // sequences a step, all systems and micro-batches together
  int sequence = 1;  // tokens each
  int systems = 1;   // wafers that share the batch: system w has sequences w * batch / systems, ...
  std::size_t tokens() const { return static_cast<std::size_t>(batch) * static_cast<std::size_t>(sequence); }
};

// A target that no token is: its place takes no part in the loss.
constexpr std::uint32_t no_target = 0xffffffffu;

// The tokens of a step, [sample * sequence + position].
struct StepBatch {
  std::vector<std::uint32_t> tokens;
  std::vector<std::uint32_t> targets;  // ids, or no_target
};

// Of how many tokens the loss is the mean; 1 where there is none, whose loss is 0.
inline double loss_tokens(const std::vector<std::uint32_t>& targets) {
  const auto without = std::count(targets.begin(), targets.end(), no_target);
  return static_cast<double>(std::max<std::ptrdiff_t>(1, static_cast<std::ptrdiff_t>(targets.size()) - without));
}

}  // namespace wafersim::memoryx
