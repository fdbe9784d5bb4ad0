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

}  // namespace
}  // namespace wafersim::workloads
