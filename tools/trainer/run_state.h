#pragma once
// The state of a run between two steps as bytes: the results so far, and what the engine needs to go on.

#include <string>
#include <vector>

#include "models/system.h"
#include "tools/trainer/trainer.h"
#include "workloads/reference/reference_trainer.h"

namespace wafersim::tools {

// Of a run wavelet by wavelet; trace: null when it has none. Restoring REQUIRES a result, a trace and a system as they were before the
// first step.
std::string save_state(const RunResult& result, const Trace* trace, const models::System& system);
void restore_state(const std::string& state, RunResult& result, Trace* trace, models::System& system);

// Of a sampled run's numbers: the records of the steps so far.
std::string save_state(const std::vector<StepRecord>& records, const workloads::reference::ReferenceTrainer& trainer);
void restore_state(const std::string& state, std::vector<StepRecord>& records, workloads::reference::ReferenceTrainer& trainer);

}  // namespace wafersim::tools
