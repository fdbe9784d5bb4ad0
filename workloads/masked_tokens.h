#pragma once
// What a model trains on: the next token where attention is causal, else tokens that are hidden from it (workloads/NUMERICS.md, 25).

#include <cstdint>

#include "workloads/data.h"
#include "workloads/model_shape.h"

namespace wafersim::workloads {

// Hides 15 % of a step's inputs: of these 80 % become `mask_token`, 10 % any token, 10 % stay. The targets of those hidden are what they
// were, of the others memoryx::no_target. A function of (seed, step, place in the batch).
Batch mask_tokens(Batch batch, int vocabulary, int mask_token, std::uint64_t seed, std::uint64_t step);

// make_batch (data.h), masked where the model's family is.
Batch training_batch(const Tokens& tokens, const ModelShape& shape, std::uint64_t seed, std::uint64_t step, int batch, int sequence);

}  // namespace wafersim::workloads
