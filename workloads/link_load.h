#pragma once
// What a kernel call puts on each channel of the I/O link, counted from its outline: the words of the streams that lowering makes for it;
// those of its start, which differ a little from kernel to kernel, on average.

#include "memoryx/link_timing.h"
#include "models/step_schedule.h"
#include "workloads/call_outline.h"

namespace wafersim::workloads {

// link: of a wafer of spec.layout.rows rows. edge_queue_words: of each port.
models::LinkLoad link_load(const CallOutline& call, const LoweringSpec& spec, const memoryx::LinkTiming& link, int edge_queue_words);

}  // namespace wafersim::workloads
