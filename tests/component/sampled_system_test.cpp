// A step in blocks (models/sampled_system.h) with the kernels' own times takes what the wafer takes wavelet by wavelet.

#include "models/sampled_system.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/error.h"
#include "tests/support/measured_schedule.h"
#include "tests/support/pure_wafer.h"

namespace wafersim::tests {
namespace {

SmallModel wide() {
  SmallModel model;
  model.vocabulary = model.width = 64;
  model.heads = 4;
  model.columns_per_head = 2;
  model.rows = 16;
  model.batch = 2;
  model.sequence = 32;
  model.type = sim::Dtype::f16;
  return model;
}

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
  SmallModel lanes = wide();
  lanes.lanes = 2;
  lanes.batch = 4;
  models::SampledSystem system(1, 4, false);
  for (const Case& c : {Case{"wide", wide(), 1.0, 0}, Case{"fast link", wide(), 4.0, 0}, Case{"slow link", wide(), 0.1, 0},
                        Case{"slow link, shallow queues", wide(), 0.1, 64}, Case{"two lanes", lanes, 1.0, 0},
                        Case{"two lanes, slow link", lanes, 0.1, 0}}) {
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

}  // namespace
}  // namespace wafersim::tests
