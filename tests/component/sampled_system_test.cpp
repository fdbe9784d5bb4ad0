// A step in blocks (models/sampled_system.h) with the kernels' own times takes what the wafer takes wavelet by wavelet.

#include "models/sampled_system.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/error.h"
#include "tests/support/measured_schedule.h"
#include "tests/support/pure_wafer.h"

namespace wafersim::tests {
namespace {

models::SampledSpec spec_of(const Experiment& experiment) {
  models::SampledSpec spec;
  spec.clock = experiment.machine.core.clock;
  spec.memoryx = experiment.machine.memoryx;
  spec.optimizer = experiment.training.update.optimizer.kind;
  spec.updates_wait = experiment.training.update.clip > 0 || experiment.training.update.loss_scale.dynamic;
  return spec;
}

struct Case {
  const char* name;
  SmallModel model;
  double bandwidth;  // times the machine's
  int edge_queue_words;
  double store = 1;       // the memory's rate, times the machine's
  bool in_flash = false;  // all tensors
};

TEST(SampledSystem, TakesWhatTheWaferTakesWaveletByWavelet) {
  SmallModel lanes = eight_columns();
  lanes.lanes = 2;
  lanes.batch = 4;
  models::SampledSystem system(1, 4, false);
  for (const Case& c : {Case{"wide", eight_columns(), 1.0, 0}, Case{"fast link", eight_columns(), 4.0, 0},
                        Case{"slow link", eight_columns(), 0.1, 0}, Case{"slow link, shallow queues", eight_columns(), 0.1, 64},
                        Case{"two lanes", lanes, 1.0, 0}, Case{"two lanes, slow link", lanes, 0.1, 0},
                        Case{"slow memory", eight_columns(), 1.0, 0, 0.002}, Case{"in flash", eight_columns(), 1.0, 0, 1.0, true}}) {
    Experiment experiment = make_experiment(c.model);
    const models::WaferPlan plan = experiment.plan();
    experiment.machine.io.bandwidth *= c.bandwidth;
    experiment.machine.io.edge_queue_words = c.edge_queue_words;
    experiment.machine.memoryx.bandwidth *= c.store;
    if (c.in_flash) {
      experiment.machine.memoryx.dram_capacity = 0;
      experiment.machine.memoryx.flash_bandwidth = 8e9;
    }
    const models::StepResult wavelets =
        PureWafer(experiment.machine, plan, experiment.store, experiment.training).run_step(experiment.batch(0), true);
    const double expected = static_cast<double>(wavelets.gradients - wavelets.first);
    const models::SampledRun run = system.run(measured_schedule(experiment, plan), spec_of(experiment), 1);
    const double got = run.steps[0].gradients;
    fmt::print("{:24} {:10.0f} {:10.0f} cycles {:+.2f} %\n", c.name, got, expected, 100 * (got / expected - 1));
    EXPECT_NEAR(got, expected, 0.02 * expected) << c.name;
    double store = 0;
    for (const models::SampledCall& call : run.steps[0].calls) store += call.waits[static_cast<int>(models::WaitCause::store)];
    EXPECT_EQ(store > 0.1 * got, c.store < 1 || c.in_flash) << store;
    const double updates = static_cast<double>(wavelets.updates.back().end - wavelets.gradients);
    EXPECT_NEAR(run.steps[0].updated - got, updates, 2 + 0.002 * updates) << c.name;
  }
}

// A slow optimizer: the second step's kernels wait for their tensors' updates.
TEST(SampledSystem, UpdatesHoldUpTheNextStepAsOnTheWafer) {
  Experiment experiment = make_experiment(eight_columns());
  experiment.machine.memoryx.optimizer_rate = 1e8;
  const models::WaferPlan plan = experiment.plan();
  PureWafer wafer(experiment.machine, plan, experiment.store, experiment.training);
  wafer.run_step(experiment.batch(0));
  const models::StepResult second = wafer.run_step(experiment.batch(1));
  models::SampledSystem system(1, 4, false);
  const models::SampledRun run = system.run(measured_schedule(experiment, plan), spec_of(experiment), 2);
  const double expected = static_cast<double>(second.gradients - second.first), got = run.steps[1].gradients - run.steps[1].first;
  fmt::print("second step {:.0f} cycles, {:.0f} wavelet by wavelet\n", got, expected);
  EXPECT_NEAR(got, expected, 0.02 * expected);
  double update_wait = 0;
  for (const models::SampledCall& call : run.steps[1].calls) update_wait += call.waits[static_cast<int>(models::WaitCause::update)];
  EXPECT_GT(update_wait, 0.05 * got);
}

// Every time of a run: steps', calls', updates'.
std::vector<double> all_times(const models::SampledRun& run) {
  std::vector<double> times;
  for (const models::SampledStep& step : run.steps) {
    times.insert(times.end(), {step.first, step.gradients, step.update_begins, step.updated});
    for (const models::SampledCall& call : step.calls) {
      times.insert(times.end(), {call.start, call.done});
      times.insert(times.end(), std::begin(call.waits), std::end(call.waits));
    }
  }
  return times;
}

// Two steps of `systems` wafers in a process of its own: SystemC allows one simulation.
std::vector<double> times_of(const models::StepSchedule& schedule, const models::SampledSpec& spec, int systems, bool representative) {
  constexpr int steps = 2;
  std::vector<double> found(steps * (4 + schedule.calls.size() * (2 + models::wait_causes)));
  const auto bytes = static_cast<ssize_t>(found.size() * sizeof(double));
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    models::SampledSystem system(systems, 4, representative);
    const std::vector<double> times = all_times(system.run(schedule, spec, steps));
    _exit(times.size() == found.size() && write(ends[1], times.data(), found.size() * sizeof(double)) == bytes ? 0 : 1);
  }
  close(ends[1]);
  char* place = reinterpret_cast<char*>(found.data());
  for (ssize_t got = 0, left = bytes; left > 0 && (got = read(ends[0], place, static_cast<std::size_t>(left))) > 0; left -= got)
    place += got;
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  return found;
}

TEST(SampledSystem, OneOfAlikeWafersStandsForAll) {
  const Experiment experiment = make_experiment(eight_columns());
  const models::StepSchedule schedule = measured_schedule(experiment, experiment.plan());
  for (const int systems : {4, 5, 16})  // one level, two of which one is not full, two full ones
    EXPECT_EQ(times_of(schedule, spec_of(experiment), systems, false), times_of(schedule, spec_of(experiment), systems, true)) << systems;
}

TEST(SampledSystem, ALevelOfSwarmXTakesItsWayOutAndBack) {
  const Experiment experiment = make_experiment(eight_columns());
  const models::StepSchedule schedule = measured_schedule(experiment, experiment.plan());
  constexpr std::size_t gradients = 1;  // among a run's times
  const double two_levels = times_of(schedule, spec_of(experiment), 5, false)[gradients];
  EXPECT_NEAR(two_levels - times_of(schedule, spec_of(experiment), 1, false)[gradients], 4 * 1.25e-6 * experiment.machine.core.clock, 100);
}

}  // namespace
}  // namespace wafersim::tests
