// Samples compute no numbers: what a step's calls take does not depend on it.

#include <gtest/gtest.h>

#include "models/mesh.h"
#include "models/ready_ports.h"
#include "tests/support/small_model.h"

namespace wafersim::tests {
namespace {

using memoryx::StreamValue;

// Of a whole step on one block. Weights and token rows are fp16 pairs that differ from word to word, or zero without arithmetic.
std::vector<models::CallRecord> calls_of(const Experiment& e, bool arithmetic, std::uint64_t& hops) {
  const models::WaferPlan plan = e.plan();
  models::ReadyPorts ports({}, {});
  std::uint32_t words = 0;
  for (std::size_t k = 0; k < plan.calls.size(); ++k)
    ports.add(plan.calls[k].stream, [&, k](const memoryx::StreamWord& word) {
      if (word.low.kind == StreamValue::Kind::start) return word.low.index | static_cast<std::uint32_t>(k);
      if (word.low.kind == StreamValue::Kind::word) return word.low.index;
      return arithmetic ? 0x3c002e00u + (++words % 997) * 0x0001000bu : 0u;
    });
  models::MeshOptions options{plan.width, plan.height};
  options.arithmetic = arithmetic;
  models::Mesh mesh(plan, e.machine.fabric, e.machine.core, options, &ports);
  const fabric::Cycle end = mesh.driver().run(0);
  EXPECT_TRUE(mesh.driver().quiet());
  hops = mesh.hops();
  models::CoreBlock& core = *mesh.driver().at({0, 0}).block->core;
  core.account_all(end);
  return core.take_calls();
}

void expect_same_calls(const SmallModel& model) {
  const Experiment e = make_experiment(model);
  std::uint64_t hops[2];
  const auto computed = calls_of(e, true, hops[0]), timed = calls_of(e, false, hops[1]);
  EXPECT_EQ(hops[0], hops[1]);
  ASSERT_EQ(computed.size(), timed.size());
  ASSERT_GT(computed.size(), 10u);
  for (std::size_t k = 0; k < computed.size(); ++k) {
    EXPECT_EQ(computed[k].first_start, timed[k].first_start) << "call " << k;
    EXPECT_EQ(computed[k].last_done, timed[k].last_done) << "call " << k;
    EXPECT_EQ(computed[k].cycles, timed[k].cycles) << "call " << k;
    EXPECT_EQ(computed[k].switch_cycles, timed[k].switch_cycles) << "call " << k;
    EXPECT_EQ(computed[k].macs, timed[k].macs) << "call " << k;
  }
}

TEST(Arithmetic, AStepTakesTheSameCyclesWithoutIt) {
  SmallModel model;
  model.type = sim::Dtype::f16;
  expect_same_calls(model);
}

TEST(Arithmetic, AStepWithRotationsSharedKeysAndTwoLanesTakesTheSameCyclesWithoutIt) {
  SmallModel model;
  model.family = workloads::Family::llama;
  model.type = sim::Dtype::f16;
  model.heads = 4;
  model.kv_heads = 2;
  model.lanes = 2;
  model.rows = 10;
  model.sequence = 18;
  model.tied = false;
  model.loss_outputs_per_pe = 1;
  expect_same_calls(model);
}

}  // namespace
}  // namespace wafersim::tests
