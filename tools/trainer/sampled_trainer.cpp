#include "tools/trainer/sampled_trainer.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "memoryx/link_timing.h"
#include "sim/error.h"
#include "tools/trainer/run_state.h"
#include "tools/trainer/sampled_step.h"
#include "workloads/masked_tokens.h"
#include "workloads/reference/reference_trainer.h"
#include "workloads/step_schedule.h"

namespace wafersim::tools {
namespace {

// Where none is skipped, no step differs from another but the first, which waits for no update, and the last, whose own update shows.
constexpr int steps_that_differ = 3;

// Records of all steps but for their cycles; none with numerics off.
std::vector<StepRecord> compute_numbers(const PreparedRun& run, const EngineOptions& engine, RunResult& result) {
  const auto steps = static_cast<std::size_t>(run.spec.training.steps);
  if (!run.spec.numerics) return std::vector<StepRecord>(steps);
  std::vector<StepRecord> records;
  workloads::reference::ReferenceTrainer trainer(run.lowering, run.training.update, *run.weights);
  if (engine.from) restore_state(engine.from->state, records, trainer);
  if (engine.keeper) engine.keeper->begin_steps();
  for (std::size_t s = records.size(); s < steps; ++s) {
    const workloads::Batch batch =
        workloads::training_batch(*run.tokens, run.spec.model.shape, run.spec.seed, s, run.training.batch, run.training.sequence);
    const workloads::reference::StepRecord step = trainer.step(batch.inputs, batch.targets);
    records.push_back({step.loss, step.update.gradient_norm, step.update.lr, step.update.loss_scale, step.update.skipped, 0});
    const int done = static_cast<int>(records.size());
    if (s + 1 < steps && engine.keeper && engine.keeper->wants(done)) engine.keeper->keep({done, save_state(records, trainer)});
  }
  if (engine.keeper) engine.keeper->end_steps();
  result.store = trainer.store();
  return records;
}

models::SampledSpec sampled_spec(const PreparedRun& run) {
  models::SampledSpec spec;
  spec.clock = run.spec.machine.core.clock;
  spec.memoryx = run.spec.machine.memoryx;
  spec.swarmx = run.spec.machine.swarmx;
  spec.optimizer = run.training.update.optimizer.kind;
  spec.updates_wait = run.bound.updates_wait;
  return spec;
}

models::TierUse a_step(const models::TierUse& run, int steps) { return {run.bytes / steps, run.busy / steps}; }

// A run's kernels timed, its steps simulated.
class Sampling {
 public:
  Sampling(const PreparedRun& run, const std::filesystem::path& cache)
      : run_(run), sampler_(run.spec.machine, cache, run.spec.threads), times_(sampler_.times(run.lowering, run.graph)) {
    std::vector<workloads::CallTime> times;
    for (const workloads::KernelTime& time : times_) times.push_back({time.active, time.period});
    schedule_ = workloads::make_schedule(run.lowering, run.graph, times, run.spec.machine, run.edge_queue_words);
  }

  models::SampledRun simulate(models::SampledSystem& system, int steps, const std::vector<bool>& skipped) const {
    return system.run(schedule_, sampled_spec(run_), steps, skipped);
  }
  SampledStepReader reader() const { return SampledStepReader(schedule_, times_, run_.pes()); }
  const std::vector<workloads::SampleReport>& reports() const { return sampler_.reports(); }

 private:
  const PreparedRun& run_;
  workloads::KernelSampler sampler_;
  std::vector<workloads::KernelTime> times_;
  models::StepSchedule schedule_;
};

// Times are exact to 2^53 cycles, what all PEs did in a step is counted to 2^64.
void require_countable(const models::SampledRun& simulation, std::uint64_t pes) {
  for (const models::SampledStep& step : simulation.steps) {
    const double end = std::max(step.gradients, step.updated), cycles = end - step.first;
    if (end < std::ldexp(1.0, 53) && cycles * static_cast<double>(pes) < std::ldexp(1.0, 64)) continue;
    throw sim::Error(
        sim::ErrorCategory::plan,
        fmt::format("a step takes {:.3g} cycles on {} PEs, more than can be counted: io.*, memoryx.* or swarmx.* is too slow for "
                    "this model",
                    cycles, pes));
  }
}

// Of a step that is neither the first nor the last.
double seconds_between(const models::SampledRun& simulation, double clock) {
  const models::SampledStep& step = simulation.steps[steps_that_differ - 2];
  return (step.gradients - step.first) / clock;
}

}  // namespace

RunResult train_sampled(const PreparedRun& run, const EngineOptions& engine, const StepObserver& after_step) {
  RunResult result(run);
  const Sampling sampling(run, engine.cache);
  std::vector<StepRecord> records = compute_numbers(run, engine, result);
  std::vector<bool> skipped;
  for (const StepRecord& record : records) skipped.push_back(record.skipped);
  const bool alike = std::find(skipped.begin(), skipped.end(), true) == skipped.end();
  const int steps = run.spec.training.steps, simulated = alike ? std::min(steps, steps_that_differ) : steps;
  models::SampledSystem system(run.spec.systems, run.spec.machine.swarmx.fanout, true);
  const models::SampledRun simulation = sampling.simulate(system, simulated, skipped);
  require_countable(simulation, run.pes());

  const SampledStepReader reader = sampling.reader();
  fabric::Cycle end = 0;
  for (int s = 0; s < steps; ++s) {
    const bool last = s + 1 == steps;
    const models::SampledStep& step = simulation.steps[static_cast<std::size_t>(last ? simulated - 1 : std::min(s, simulated - 2))];
    models::StepResult read = reader.read(step, last);
    place(read, s, end - read.first);
    end = read.last;
    StepRecord& record = records[static_cast<std::size_t>(s)];
    read.skipped = record.skipped;
    record.cycles = read.last - read.first;
    add_step(result, run, engine.trace, read, record);
    if (s > 0 || steps == 1) result.breakdown.add_waits(step);
    after_step(s, record);
  }
  result.sampled.emplace();
  result.sampled->samples = sampling.reports();
  result.sampled->dram = a_step(simulation.dram, simulated);
  result.sampled->flash = a_step(simulation.flash, simulated);
  result.sampled->store_cycles = simulation.steps.back().updated / simulated;
  if (engine.sensitivity) {
    const auto step_seconds = [&](const PreparedRun& variant) {
      const models::SampledRun steady = Sampling(variant, engine.cache).simulate(system, steps_that_differ, {});
      return seconds_between(steady, variant.spec.machine.core.clock);
    };
    result.sampled->step_seconds = step_seconds(run);
    result.sampled->sensitivity = find_sensitivity(run, step_seconds, engine.sensitivity);
  }
  return result;
}

}  // namespace wafersim::tools
