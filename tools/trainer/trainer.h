#pragma once
// Trains a prepared run on the simulated system, step by step.

#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "memoryx/parameter_store.h"
#include "tools/trainer/breakdown.h"
#include "tools/trainer/checkpoint.h"
#include "tools/trainer/mesh_vcd.h"
#include "tools/trainer/prepared_run.h"
#include "tools/trainer/sensitivity.h"
#include "tools/trainer/step_totals.h"
#include "tools/trainer/trace.h"
#include "workloads/sampling/kernel_sampler.h"

namespace wafersim::tools {

// What changes no result of the steps: how the mesh is cut (wavelet), where samples are kept (sampled; empty: nowhere).
struct EngineOptions {
  int block_width = 16;
  int block_height = 16;
  std::filesystem::path cache;
  // Whether a sampled run also finds what its step's time depends on; called before each key.
  std::function<void(const std::string& key)> sensitivity;
  // The steps that an interrupted run has behind it, and who keeps checkpoints of this one; null: nobody. A sampled run without numerics
  // has none.
  std::optional<Checkpoint> from;
  CheckpointKeeper* keeper = nullptr;
  Trace* trace = nullptr;  // that is told each step, and restored; null: none is
  // Of a run by wavelets from its first step: what happens in these steps, cycle by cycle; null: not shown.
  MeshVcd* vcd = nullptr;
  int vcd_first = 0, vcd_last = 0;
};

struct StepRecord {
  double loss = 0.0;           // mean over tokens; here and below: with numerics on
  float gradient_norm = 0.0f;  // unscaled, before clipping
  double lr = 0.0;
  double loss_scale = 1.0;
  bool skipped = false;
  std::uint64_t cycles = 0;  // models/system.h: all steps' add up to the run's
  template <class Archive>
  void serialize(Archive& archive) {
    archive(loss, gradient_norm, lr, loss_scale, skipped, cycles);
  }
};

// What a sampled run knows beyond a simulated one.
struct SampledDetails {
  std::vector<workloads::SampleReport> samples;
  models::TierUse dram, flash;  // of a step
  double store_cycles = 0;      // a step, of which dram and flash are busy: of all simulated steps, their updates among them
  double step_seconds = 0;      // between the first and the last
  std::vector<Sensitivity> sensitivity;
};

struct RunResult {
  explicit RunResult(const PreparedRun& run) : breakdown(run.calls, run.pes(), run.lowering.micro_batches) {}

  std::vector<StepRecord> steps;
  // Over the measured steps, from the start of each to that of the next: all but the first where there are several, since the first one
  // waits for no update.
  Breakdown breakdown;
  StepTotals totals;
  std::uint64_t last_update_cycles = 0;          // of the run's last step: what its updates take beyond it
  std::optional<memoryx::ParameterStore> store;  // final weights, gradients of the last step as they left the wafer
  std::optional<SampledDetails> sampled;
  double host_seconds = 0.0;  // wall time of all steps, building the system included
};

// Called after every step with its number; first, where steps are behind the run, for these.
using StepObserver = std::function<void(int step, const StepRecord& record)>;

// One call a process (SystemC). Errors: stall, plan, invariant.
RunResult train(const PreparedRun& run, const EngineOptions& engine, const StepObserver& after_step);

// Adds a step to a result, and to the trace where there is one.
void add_step(RunResult& result, const PreparedRun& run, Trace* trace, const models::StepResult& step, const StepRecord& record);

// Whether an update of the step before holds it up: not the first, nor one after a skipped step.
bool waits_for_update(const RunResult& result, std::size_t step);
// Least mean cycles of the measured steps.
double step_bound(const workloads::Bound& bound, const RunResult& result);

// Multiply-adds a cycle of a PE at its best, in the type of the run.
double peak_rate(const workloads::RunSpec& spec);

}  // namespace wafersim::tools
