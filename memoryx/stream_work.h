#pragma once
// What the words of a plan's calls ask of the parameter store.

#include <cstddef>
#include <vector>

#include "memoryx/link_timing.h"
#include "memoryx/parameter_table.h"
#include "memoryx/store_work.h"
#include "memoryx/stream.h"
#include "memoryx/training.h"

namespace wafersim::memoryx {

// In how many blocks a call's words come: sixteenths; a call to which nothing but its start comes, and that sends nothing, is one block.
inline constexpr int blocks_a_call = 16;
int blocks_of(const CallStream& stream);
// Which of them word `number` of `words` that a channel has in the call belongs to.
inline int block_of(std::size_t number, std::size_t words, int blocks) {
  return static_cast<int>(number * static_cast<std::size_t>(blocks) / words);
}

// streams: of the calls of a micro-batch. Throws Error(invariant) for a word that means no element of the table.
StepWork work_of(const std::vector<const CallStream*>& streams, const LinkTiming& timing, const ParameterTable& table,
                 const TrainingSpec& training, int micro_batches);

}  // namespace wafersim::memoryx
