// What every call shares exists once, however many calls a step has.
#include <gtest/gtest.h>

#include "tests/support/small_model.h"
#include "workloads/kernels/lower.h"

namespace wafersim::workloads {
namespace {

models::WaferPlan plan_of(int layers) {
  tests::SmallModel model;
  model.layers = layers;
  return tests::make_experiment(model).plan();
}

TEST(Lowering, AStepOfAnyNumberOfLayersRunsWithTheSameProgramsAndTables) {
  const models::WaferPlan one = plan_of(1), four = plan_of(4);
  EXPECT_GT(four.calls.size(), 3 * one.calls.size());
  EXPECT_EQ(four.programs, one.programs);
  EXPECT_EQ(four.pe_words, one.pe_words);
  EXPECT_TRUE(four.memory.empty());
}

TEST(Lowering, EveryCallBeginsWithTheWordsThatStartIt) {
  const models::WaferPlan plan = plan_of(2);
  for (const models::KernelCall& call : plan.calls) {
    const std::vector<memoryx::StreamWord>& in = call.stream.in;
    ASSERT_GT(in.size(), 2u);
    EXPECT_EQ(in[0].low.kind, memoryx::StreamValue::Kind::word);
    ASSERT_EQ(in[1].low.kind, memoryx::StreamValue::Kind::start);
    ASSERT_GE(in.size(), 2 + in[0].low.index);  // arguments
    for (std::size_t k = 0; k < 2 + in[0].low.index; ++k) EXPECT_EQ(in[k].color, in[0].color);
  }
}

// h (1 + ceil(6 C / T_j)) words, T_j the cycles of an output: with weights slower than a cycle each, with outputs that take none.
TEST(Lowering, EdgeQueuesHoldTheSkewOfColumnsAtAnyRateOfMultiplyAdds) {
  const tests::Experiment e = tests::make_experiment(tests::SmallModel{});  // 4 columns, 4 tokens x 16 features of the MLP's inner width
  models::CoreSpec core;
  const auto need = [&](double mixed, double single, int output_switch) {
    core.rate.mixed_fma = mixed;
    core.rate.single_fma = single;
    core.output_switch_cycles = output_switch;
    return edge_queue_need(e.lowering, e.graph, core);
  };
  EXPECT_EQ(need(2, 1, 10), 16 * (1 + 1));
  EXPECT_EQ(need(2, 1, 0), 16 * (1 + 1));
  EXPECT_EQ(need(1, 8, 0), 16 * (1 + 3));
  EXPECT_EQ(need(1.0 / 64, 1.0 / 64, 0), 16 * (1 + 1));
  EXPECT_EQ(need(1024, 1024, 0), 16 * (1 + 24));
}

}  // namespace
}  // namespace wafersim::workloads
