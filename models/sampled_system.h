#pragma once
// MemoryX, SwarmX, the I/O links and one or several wafers as SystemC modules that exchange blocks: a sixteenth of a kernel call's weights
// or gradients each. Kernel times are given (step_schedule.h); what is simulated is everything between them: reading and updating the
// parameter store, broadcast and reduction, the links, their queues, and who waits for whom. One SampledSystem a process, for any number
// of runs.

#include <cstdint>
#include <memory>
#include <vector>

#include "memoryx/optimizer.h"
#include "memoryx/spec.h"
#include "memoryx/store_log.h"
#include "models/link_span.h"
#include "models/step_schedule.h"

namespace wafersim::models {

// Why a kernel call took longer than its own cycles.
enum class WaitCause { weight_link, store, update, gradient_link };
inline constexpr int wait_causes = 4;
const char* name(WaitCause cause);

struct SampledSpec {
  double clock = 0;  // Hz
  memoryx::MemoryXSpec memoryx;
  memoryx::SwarmXSpec swarmx;
  memoryx::OptimizerSpec::Kind optimizer = memoryx::OptimizerSpec::Kind::adamw;
  bool updates_wait = true;  // for the step's last gradient: clipping or dynamic loss scaling
};

struct SampledCall {
  double start = 0, done = 0;      // cycles since the run's start; the next call starts at done + switch
  double waits[wait_causes] = {};  // cycles, in `done - start`
  LinkSpan in[link_edges], out[link_edges];
  LinkSpan given, gathered;  // by SwarmX's root: down, up
};

struct SampledStep {
  double first = 0;                // the last step's gradients were complete (0: the run's start)
  double gradients = 0;            // the last gradient arrived in MemoryX
  double update_begins = 0;        // the first update began
  double updated = 0;              // the last update ended; equal when the step is skipped
  std::vector<SampledCall> calls;  // micro-batch after micro-batch, of the slowest wafer
  memoryx::StoreLog store;         // what the store did for the step, its number 0
};

struct TierUse {
  double bytes = 0;  // read and written in the run
  double busy = 0;   // cycles
};

struct SampledRun {
  std::vector<SampledStep> steps;
  std::vector<double> in_busy, out_busy;  // cycles of each channel in the run, of wafer 0
  double words_in = 0, words_out = 0;     // of wafer 0 in the run
  TierUse dram, flash;
};

class SampledSystem {
 public:
  // systems: wafers that share a batch. With `representative` they are alike and one stands for all; the tree has its real depth.
  SampledSystem(int systems, int fanout, bool representative);
  ~SampledSystem();
  SampledSystem(const SampledSystem&) = delete;
  SampledSystem& operator=(const SampledSystem&) = delete;

  // Runs steps one after another; those that are `skipped` (a gradient overflowed; none where empty) update nothing.
  // Throws Error(plan) when the parameter store is too large, Error(stall) when the step does not end.
  SampledRun run(const StepSchedule& schedule, const SampledSpec& spec, int steps, const std::vector<bool>& skipped = {});

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace wafersim::models
