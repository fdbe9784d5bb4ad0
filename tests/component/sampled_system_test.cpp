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
};

TEST(SampledSystem, TakesWhatTheWaferTakesWaveletByWavelet) {
  SmallModel lanes = eight_columns();
  lanes.lanes = 2;
  lanes.batch = 4;
  models::SampledSystem system(1, 4, false);
  for (const Case& c : {Case{"wide", eight_columns(), 1.0, 0}, Case{"fast link", eight_columns(), 4.0, 0},
                        Case{"slow link", eight_columns(), 0.1, 0}, Case{"slow link, shallow queues", eight_columns(), 0.1, 64},
                        Case{"two lanes", lanes, 1.0, 0}, Case{"two lanes, slow link", lanes, 0.1, 0}}) {
    Experiment experiment = make_experiment(c.model);
    const models::WaferPlan plan = experiment.plan();
    experiment.machine.io.bandwidth *= c.bandwidth;
    experiment.machine.io.edge_queue_words = c.edge_queue_words;
    const models::StepResult wavelets =
        PureWafer(experiment.machine, plan, experiment.store, experiment.training).run_step(experiment.batch(0));
    const double expected = static_cast<double>(wavelets.gradients - wavelets.first);
    const models::SampledRun run = system.run(measured_schedule(experiment, plan), spec_of(experiment), 1);
    const double got = run.steps[0].gradients;
    fmt::print("{:24} {:10.0f} {:10.0f} cycles {:+.2f} %\n", c.name, got, expected, 100 * (got / expected - 1));
    EXPECT_NEAR(got, expected, 0.02 * expected) << c.name;
    EXPECT_NEAR(run.steps[0].updated - got, static_cast<double>(wavelets.updates_end - wavelets.gradients), 200)
        << c.name;  // the store's latency
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

std::vector<double> gradient_times(const models::SampledRun& run) {
  std::vector<double> times;
  for (const models::SampledStep& step : run.steps) times.push_back(step.gradients);
  return times;
}

TEST(SampledSystem, OneOfFourAlikeWafersStandsForAll) {
  const Experiment experiment = make_experiment(eight_columns());
  const models::StepSchedule schedule = measured_schedule(experiment, experiment.plan());
  // A process of its own for each: SystemC allows one simulation.
  const auto times = [&](bool representative) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      models::SampledSystem system(5, 4, representative);  // two levels
      const std::vector<double> found = gradient_times(system.run(schedule, spec_of(experiment), 2));
      const ssize_t written = write(ends[1], found.data(), 2 * sizeof(double));
      _exit(written == static_cast<ssize_t>(2 * sizeof(double)) ? 0 : 1);
    }
    close(ends[1]);
    std::vector<double> found(2);
    EXPECT_EQ(read(ends[0], found.data(), 2 * sizeof(double)), static_cast<ssize_t>(2 * sizeof(double)));
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    return found;
  };
  const std::vector<double> all = times(false), one = times(true);
  EXPECT_EQ(all, one);
  // Two nodes on the way out and on the way back.
  models::SampledSystem alone(1, 4, false);
  const std::vector<double> direct = gradient_times(alone.run(schedule, spec_of(experiment), 2));
  EXPECT_NEAR(all[0] - direct[0], 4 * 1.25e-6 * experiment.machine.core.clock, 100);
}

}  // namespace
}  // namespace wafersim::tests
