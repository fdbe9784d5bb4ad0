#include "tools/trainer/trainer.h"

#include <algorithm>
#include <chrono>

#include "models/system.h"
#include "sim/error.h"
#include "tools/trainer/run_state.h"
#include "tools/trainer/sampled_trainer.h"
#include "workloads/masked_tokens.h"

namespace wafersim::tools {
namespace {

RunResult train_by_wavelets(const PreparedRun& run, const EngineOptions& engine, const StepObserver& after_step) {
  RunResult result(run);
  models::System system(run.spec.machine, *run.plan, *run.weights, run.training,
                        {engine.block_width, engine.block_height, run.spec.threads});
  const int steps = run.spec.training.steps;
  if (engine.from) restore_state(engine.from->state, result, engine.trace, system);
  const int first = static_cast<int>(result.steps.size());
  for (int s = 0; s < first; ++s) after_step(s, result.steps[static_cast<std::size_t>(s)]);
  if (engine.keeper) engine.keeper->begin_steps();
  for (int s = first; s < steps; ++s) {
    const workloads::Batch batch = workloads::training_batch(*run.tokens, run.spec.model.shape, run.spec.seed,
                                                             static_cast<std::uint64_t>(s), run.training.batch, run.training.sequence);
    if (engine.vcd != nullptr && s == engine.vcd_first) system.observe(engine.vcd);
    const models::StepResult step = system.run_step({batch.inputs, batch.targets}, s + 1 == steps);
    if (engine.vcd != nullptr && s == engine.vcd_last) {
      system.observe(nullptr);
      engine.vcd->end(step.at_rest);
    }
    check_step(*run.plan, step, peak_rate(run.spec));
    add_step(result, run, engine.trace, step,
             {step.loss, step.gradient_norm, step.lr, step.loss_scale, step.skipped, step.last - step.first});
    after_step(s, result.steps.back());
    if (s + 1 < steps && engine.keeper && engine.keeper->wants(s + 1))
      engine.keeper->keep({s + 1, save_state(result, engine.trace, system)});
  }
  if (engine.keeper) engine.keeper->end_steps();
  result.store = system.store();
  return result;
}

}  // namespace

double peak_rate(const workloads::RunSpec& spec) {
  const models::RateTable& rate = spec.machine.core.rate;
  return sim::is_half(spec.dtype) ? rate.mixed_fma : rate.single_fma;
}

bool waits_for_update(const RunResult& result, std::size_t step) { return step > 0 && !result.steps[step - 1].skipped; }

double step_bound(const workloads::Bound& bound, const RunResult& result) {
  double least = 0;
  for (std::size_t s = result.steps.size() - static_cast<std::size_t>(result.totals.steps); s < result.steps.size(); ++s)
    least += waits_for_update(result, s) ? bound.cycles : bound.skipped_cycles;
  return least / result.totals.steps;
}

void add_step(RunResult& result, const PreparedRun& run, Trace* trace, const models::StepResult& step, const StepRecord& record) {
  sim::require_invariant(run.bound.skipped_cycles <= static_cast<double>(step.at_rest - step.first),
                         "no step is faster than its bound without an update");
  if (!result.steps.empty() || run.spec.training.steps == 1) {
    result.breakdown.add(step);
    result.totals.add(step);
  }
  result.last_update_cycles = step.last - step.at_rest;
  if (trace != nullptr) trace->add(step);
  result.steps.push_back(record);
}

RunResult train(const PreparedRun& run, const EngineOptions& engine, const StepObserver& after_step) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  RunResult result = run.plan ? train_by_wavelets(run, engine, after_step) : train_sampled(run, engine, after_step);
  const auto measured = static_cast<double>(result.totals.cycles + result.last_update_cycles);
  sim::require_invariant(step_bound(run.bound, result) * result.totals.steps <= measured, "steps are no faster than their bound");
  result.host_seconds = std::max(1e-9, std::chrono::duration<double>(Clock::now() - start).count());
  return result;
}

}  // namespace wafersim::tools
