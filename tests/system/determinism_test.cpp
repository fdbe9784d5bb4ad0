// How a mesh is cut into blocks, how many threads step it, SystemC or not: nothing of it shows in any result.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <ostream>
#include <string>

#include "models/system.h"
#include "tests/support/pure_wafer.h"
#include "tests/support/same_bits.h"
#include "tests/support/small_model.h"

namespace wafersim::tests {
namespace {

// 18 x 17 PEs, so that no block size divides them.
Experiment experiment() {
  SmallModel model;
  model.lanes = 3;
  model.heads = 2;
  model.columns_per_head = 3;
  model.rows = 17;
  model.vocabulary = 18;
  model.width = 6;
  model.batch = 5;
  model.sequence = 6;
  model.type = sim::Dtype::f16;
  return make_experiment(model);
}

void expect_same(const models::StepResult& got, const models::StepResult& expected) {
  EXPECT_EQ(got.loss, expected.loss);
  EXPECT_EQ(got.gradient_norm, expected.gradient_norm);
  EXPECT_EQ(got.first, expected.first);
  EXPECT_EQ(got.gradients, expected.gradients);
  EXPECT_EQ(got.last, expected.last);
  EXPECT_EQ(got.statistics.activity, expected.statistics.activity);
  EXPECT_EQ(got.statistics.flits, expected.statistics.flits);
  EXPECT_EQ(got.statistics.hops, expected.statistics.hops);
  ASSERT_EQ(got.statistics.calls.size(), expected.statistics.calls.size());
  for (std::size_t k = 0; k < got.statistics.calls.size(); ++k) {
    const models::CallRecord &a = got.statistics.calls[k], &b = expected.statistics.calls[k];
    EXPECT_EQ(a.cycles, b.cycles) << "call " << k;
    EXPECT_EQ(a.macs, b.macs) << "call " << k;
    EXPECT_EQ(a.first_start, b.first_start) << "call " << k;
    EXPECT_EQ(a.last_done, b.last_done) << "call " << k;
  }
}

// Steps both machines twice.
template <class Machine>
void expect_same_run(const Experiment& e, const models::WaferPlan& plan, Machine& machine) {
  PureWafer expected(e.machine, plan, e.store, e.training, {plan.width, plan.height, 1});
  for (int step = 0; step < 2; ++step) {
    expect_same(machine.run_step(e.batch(step)), expected.run_step(e.batch(step)));
    EXPECT_EQ(first_difference(machine.store(), expected.store()), "");
  }
}

struct Cut {
  int block_width, block_height, threads;
};

std::string name_of(const Cut& cut) { return fmt::format("Blocks{}x{}Threads{}", cut.block_width, cut.block_height, cut.threads); }

void PrintTo(const Cut& cut, std::ostream* out) { *out << name_of(cut); }

class Determinism : public testing::TestWithParam<Cut> {};

TEST_P(Determinism, BlocksThreadsAndRepetitionChangeNothing) {
  const Experiment e = experiment();
  const models::WaferPlan plan = e.plan();
  PureWafer wafer(e.machine, plan, e.store, e.training, {GetParam().block_width, GetParam().block_height, GetParam().threads});
  expect_same_run(e, plan, wafer);
}

INSTANTIATE_TEST_SUITE_P(Cuts, Determinism,
                         testing::Values(Cut{1, 1, 1}, Cut{1, 1, 2}, Cut{3, 5, 1}, Cut{3, 5, 2}, Cut{16, 16, 1}, Cut{16, 16, 2},
                                         Cut{18, 17, 1}, Cut{18, 17, 2}),
                         [](const auto& test) { return name_of(test.param); });

TEST(DeterminismInSystemC, TheSimulationIsTheOneWithoutSystemCCycleByCycle) {
  const Experiment e = experiment();
  const models::WaferPlan plan = e.plan();
  models::System system(e.machine, plan, e.store, e.training, {3, 5, 2});
  expect_same_run(e, plan, system);
}

}  // namespace
}  // namespace wafersim::tests
