#pragma once
// Trains a prepared run on the simulated system, step by step.

#include <functional>
#include <vector>

#include "memoryx/parameter_store.h"
#include "tools/trainer/breakdown.h"
#include "tools/trainer/prepared_run.h"
#include "tools/trainer/step_totals.h"
#include "tools/trainer/trace.h"

namespace wafersim::tools {

// How the mesh is cut for the host's sake; changes no result.
struct EngineOptions {
  int block_width = 16;
  int block_height = 16;
};

struct StepRecord {
  double loss = 0.0;           // mean over tokens
  float gradient_norm = 0.0f;  // unscaled, before clipping
  double lr = 0.0;
  double loss_scale = 1.0;
  bool skipped = false;
  std::uint64_t cycles = 0;  // models/system.h: all steps' add up to the run's
};

struct RunResult {
  std::vector<StepRecord> steps;
  // Over the measured steps: all but the first where there are several, since the first one waits for no update.
  Breakdown breakdown;
  StepTotals totals;
  Trace trace;
  memoryx::ParameterStore store;  // final weights, gradients of the last step as they left the wafer
  double host_seconds = 0.0;      // wall time of all steps, building the system included
};

// Called after every step with its number.
using StepObserver = std::function<void(int step, const StepRecord& record)>;

// One call a process (SystemC). The run outlives the result. Errors: stall, plan, invariant.
RunResult train(const PreparedRun& run, const EngineOptions& engine, const StepObserver& after_step);

// Least mean cycles of the measured steps. Each step hides an update, of its own or of the one before; a skipped step has none.
double step_bound(const workloads::Bound& bound, const RunResult& result);

// Multiply-adds a cycle of a PE at its best, in the type of the run.
double peak_rate(const workloads::RunSpec& spec);

}  // namespace wafersim::tools
