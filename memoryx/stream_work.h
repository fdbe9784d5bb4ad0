#pragma once
// What the words of a plan's calls ask of the parameter store.

#include <cstdint>
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
// Which of them each of the words in belongs to: what takes no value of a parameter to the first, of the others each channel's are shared
// out evenly, in order.
std::vector<std::uint8_t> block_numbers(const CallStream& stream, const LinkTiming& timing);

// streams: of the calls of a micro-batch. Throws Error(invariant) for a word that means no element of the table.
StepWork work_of(const std::vector<const CallStream*>& streams, const LinkTiming& timing, const ParameterTable& table,
                 const TrainingSpec& training, int micro_batches);

}  // namespace wafersim::memoryx
