#pragma once
// What MemoryX has to know of a training run beside the streams: where the embeddings lie, how a batch is shaped, how weights are updated.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "memoryx/update.h"

namespace wafersim::memoryx {

// Rows of the two embedding tables in the parameter store, in elements.
struct EmbeddingPlace {
  std::size_t token = 0;                // row of token id 0
  std::optional<std::size_t> position;  // row of position 0, where positions have rows
  int width = 0;                        // elements a row
};

struct TrainingSpec {
  UpdateSpec update;
  EmbeddingPlace embedding;
  int batch = 1;     // sequences a step, all micro-batches together
  int sequence = 1;  // tokens each
  std::size_t tokens() const { return static_cast<std::size_t>(batch) * static_cast<std::size_t>(sequence); }
};

// The tokens of a step, [sample * sequence + position].
struct StepBatch {
  std::vector<std::uint32_t> tokens;
  std::vector<std::uint32_t> targets;
};

}  // namespace wafersim::memoryx
