// Queues decide when things happen, never what is computed; and every cycle of every PE is accounted for.

#include <functional>
#include <gtest/gtest.h>
#include <numeric>

#include "tests/support/pure_wafer.h"
#include "tests/support/same_bits.h"
#include "tests/support/small_model.h"

namespace wafersim::tests {
namespace {

// Two lanes in half precision: every kind of queue carries something.
Experiment experiment() {
  SmallModel model;
  model.lanes = 2;
  model.rows = 5;
  model.type = sim::Dtype::f16;
  return make_experiment(model);
}

struct Queues {
  const char* name;
  std::function<void(models::MachineSpec&)> halve;
  bool step = true;  // whether the step's cycles change; if not, only what PEs wait for does
};

void PrintTo(const Queues& queues, std::ostream* out) { *out << queues.name; }

class HalvedQueues : public testing::TestWithParam<Queues> {};

TEST_P(HalvedQueues, ChangeCyclesAndNoBit) {
  Experiment full = experiment();
  const models::WaferPlan plan = full.plan();
  full.machine.io.edge_queue_words = plan.edge_queue_words;
  PureWafer wafer(full.machine, plan, full.store, full.training);

  models::MachineSpec machine = full.machine;
  GetParam().halve(machine);
  PureWafer other(machine, plan, full.store, full.training);

  for (int step = 0; step < 2; ++step) {
    const models::StepResult expected = wafer.run_step(full.batch(step)), got = other.run_step(full.batch(step));
    EXPECT_EQ(got.loss, expected.loss);
    EXPECT_EQ(first_difference(other.store(), wafer.store()), "");
    EXPECT_NE(got.statistics.activity, expected.statistics.activity);
    EXPECT_EQ(got.last - got.first != expected.last - expected.first, GetParam().step);
  }
}

void halve(std::array<int, 8>& words) {
  for (int& w : words) w = (w + 1) / 2;
}

INSTANTIATE_TEST_SUITE_P(Kinds, HalvedQueues,
                         testing::Values(Queues{"Input", [](models::MachineSpec& machine) { halve(machine.core.input_queue_words); }},
                                         Queues{"Output", [](models::MachineSpec& machine) { halve(machine.core.output_queue_words); },
                                                false},
                                         Queues{"Router", [](models::MachineSpec& machine) { machine.fabric.router_queue_words /= 2; }},
                                         Queues{"Edge", [](models::MachineSpec& machine) { machine.io.edge_queue_words /= 2; }}),
                         [](const auto& test) { return std::string(test.param.name); });

// Under a slow link gradients wait in the routers, those of one kernel beside those of the next.
TEST(SlowLink, ChangesNoBit) {
  SmallModel model;
  model.width = 8;
  model.rows = 8;
  model.type = sim::Dtype::f16;
  Experiment e = make_experiment(model);
  const models::WaferPlan plan = e.plan();
  workloads::reference::ReferenceTrainer reference = e.reference();
  const memoryx::StepBatch batch = e.batch(0);
  const double loss = reference.step(batch.tokens, batch.targets).loss;
  e.machine.io.bandwidth /= 100;
  for (const int words : {1, 8, 1000}) {
    e.machine.io.edge_queue_words = words;
    PureWafer wafer(e.machine, plan, e.store, e.training);
    EXPECT_EQ(wafer.run_step(batch).loss, loss) << words;
    EXPECT_EQ(first_difference(wafer.store(), reference.store()), "") << words;
  }
}

TEST(Activity, BusyStallsAndIdleOfEveryPeAddUpToTheCyclesOfEachStep) {
  const Experiment e = experiment();
  const models::WaferPlan plan = e.plan();
  PureWafer wafer(e.machine, plan, e.store, e.training);
  for (int step = 0; step < 2; ++step) {
    const models::StepResult r = wafer.run_step(e.batch(step));
    const std::vector<std::uint64_t>& activity = r.statistics.activity;
    ASSERT_EQ(activity.size(), static_cast<std::size_t>(plan.width * plan.height * models::activities));
    std::uint64_t busy = 0;
    for (std::size_t pe = 0; pe < activity.size(); pe += models::activities) {
      EXPECT_EQ(std::accumulate(&activity[pe], &activity[pe] + models::activities, std::uint64_t{0}), r.last - r.first)
          << "PE " << pe / models::activities;
      busy += activity[pe + static_cast<std::size_t>(models::Activity::reduce)];
    }
    EXPECT_GT(busy, 0u);
    // The same cycles, told by call, are those of all PEs.
    std::uint64_t by_call = 0;
    for (const models::CallRecord& call : r.statistics.calls) {
      by_call = std::accumulate(call.cycles.begin(), call.cycles.end(), by_call);
      by_call = std::accumulate(call.switch_cycles.begin(), call.switch_cycles.end(), by_call);
      EXPECT_GT(call.switch_cycles[static_cast<std::size_t>(models::Activity::reduce)], 0u);
    }
    EXPECT_EQ(by_call, (r.last - r.first) * static_cast<std::uint64_t>(plan.width * plan.height));
  }
}

}  // namespace
}  // namespace wafersim::tests
