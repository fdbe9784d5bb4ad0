#pragma once
// Trains a prepared run on sampled systems: kernels' times from samples (workloads/sampling), everything between them simulated in blocks
// (models/sampled_system.h), numbers, where they are on, computed on the host in the mapping's order (workloads/reference).

#include "tools/trainer/trainer.h"

namespace wafersim::tools {

// One call a process (SystemC).
RunResult train_sampled(const PreparedRun& run, const EngineOptions& engine, const StepObserver& after_step);

}  // namespace wafersim::tools
