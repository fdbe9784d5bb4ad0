#pragma once
// The schedule of a step with the kernel times of a wafer that was simulated wavelet by wavelet on a free link.

#include "models/step_schedule.h"
#include "tests/support/small_model.h"

namespace wafersim::tests {

// experiment.machine gives the link; kernels are timed on the same machine with a free one.
models::StepSchedule measured_schedule(const Experiment& experiment, const models::WaferPlan& plan);

// What a stream's words put on the channels.
models::LinkLoad stream_load(const memoryx::CallStream& stream, const memoryx::LinkTiming& link, int edge_queue_words);

}  // namespace wafersim::tests
