// Whole steps: kernels timed on small meshes, everything between them simulated in blocks, against the same steps wavelet by wavelet.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "models/sampled_system.h"
#include "tests/support/pure_wafer.h"
#include "tests/support/small_model.h"
#include "workloads/sampling/kernel_sampler.h"
#include "workloads/step_schedule.h"

namespace wafersim::tests {
namespace {

struct Case {
  const char* name;
  SmallModel model;
  double bandwidth;       // times the machine's
  double optimizer_rate;  // updates/s
};

std::vector<Case> cases() {
  const SmallModel wide = eight_columns();
  SmallModel lanes = wide;
  lanes.lanes = 2;
  lanes.batch = 4;
  SmallModel single = wide;
  single.type = sim::Dtype::f32;
  single.rows = 12;
  single.sequence = 24;
  SmallModel again = wide;
  again.micro_batches = 2;
  again.batch = 4;
  again.recompute = true;
  SmallModel part = wide;
  part.layers = 2;
  part.recompute = true;
  part.kept_layers = 1;
  SmallModel bfloat = wide;
  bfloat.type = sim::Dtype::bf16;
  return {{"compute-bound", wide, 4.0, 2e11},
          {"as built", wide, 1.0, 2e11},
          {"stream-bound", wide, 0.1, 2e11},
          {"update-bound", wide, 1.0, 5e7},
          {"two lanes", lanes, 1.0, 2e11},
          {"fp32, 12 rows", single, 1.0, 2e11},
          {"bf16", bfloat, 1.0, 2e11},
          {"micro-batches, recompute", again, 1.0, 2e11},
          {"one of two layers again", part, 1.0, 2e11}};
}

TEST(WholeStep, SampledTakesWhatWaveletsTake) {
  models::SampledSystem system(1, 4, false);
  for (const Case& c : cases()) {
    Experiment experiment = make_experiment(c.model);
    models::MachineSpec& machine = experiment.machine;
    machine.io.bandwidth *= c.bandwidth;
    machine.memoryx.optimizer_rate = c.optimizer_rate;
    const models::WaferPlan plan = experiment.plan();
    PureWafer wafer(machine, plan, experiment.store, experiment.training);
    wafer.run_step(experiment.batch(0));
    const models::StepResult second = wafer.run_step(experiment.batch(1));

    workloads::KernelSampler sampler(machine, {}, 2);
    std::vector<workloads::CallTime> times;
    for (const workloads::KernelTime& time : sampler.times(experiment.lowering, experiment.graph))
      times.push_back({time.active, time.period});
    const memoryx::LinkTiming link = memoryx::make_link_timing(machine.io, machine.core.clock, plan.height);
    const models::StepSchedule schedule = workloads::make_schedule(experiment.lowering, experiment.graph, times, machine,
                                                                   memoryx::edge_queue_words(machine.io, link, plan.edge_queue_words));
    models::SampledSpec spec;
    spec.clock = machine.core.clock;
    spec.memoryx = machine.memoryx;
    const models::SampledRun run = system.run(schedule, spec, 2);
    const double got = run.steps[1].gradients - run.steps[1].first, expected = static_cast<double>(second.gradients - second.first);
    fmt::print("{:26} {:10.0f} sampled {:10.0f} simulated {:+.2f} %\n", c.name, got, expected, 100 * (got / expected - 1));
    EXPECT_NEAR(got, expected, 0.02 * expected) << c.name;
  }
}

}  // namespace
}  // namespace wafersim::tests
