// Changes of the lowering alone: each is a legal program, and each is seen, because the wafer's bits are no longer those of the reference.

#include <gtest/gtest.h>
#include <utility>

#include "tests/support/pure_wafer.h"
#include "tests/support/same_bits.h"
#include "tests/support/small_model.h"
#include "workloads/kernels/colors.h"
#include "workloads/kernels/wafer_routes.h"

namespace wafersim::tests {
namespace {

using models::Opcode;

// Four columns, a head each: the row ring serves the linears, norms and the loss alone.
class Mutation : public testing::Test {
 protected:
  Mutation() : experiment_(make_experiment(model())), plan_(experiment_.plan()), reference_(experiment_.reference()) {
    loss_ = reference_.step(experiment_.batch(0).tokens, experiment_.batch(0).targets).loss;
  }

  // What differs after one step; empty when nothing does.
  std::string difference(const models::WaferPlan& plan) const {
    PureWafer wafer(experiment_.machine, plan, experiment_.store, experiment_.training);
    const double loss = wafer.run_step(experiment_.batch(0)).loss;
    if (loss != loss_) return "loss";
    return first_difference(wafer.store(), reference_.store());
  }

  std::int32_t& word(models::WaferPlan& plan, int x, int y, workloads::PeWord word) const {
    const std::size_t pe = static_cast<std::size_t>(y) * static_cast<std::size_t>(plan.width) + static_cast<std::size_t>(x);
    return plan.pe_words[pe * static_cast<std::size_t>(plan.words_per_pe) + word];
  }

  Experiment experiment_;
  models::WaferPlan plan_;
  workloads::reference::ReferenceTrainer reference_;  // after the step
  double loss_ = 0.0;

 private:
  static SmallModel model() {
    SmallModel model;
    model.heads = 4;
    model.columns_per_head = 1;
    model.loss_outputs_per_pe = 3;  // several chunks: the running maximum matters
    return model;
  }
};

TEST_F(Mutation, NoneIsSeenInThePlanAsItIs) { EXPECT_EQ(difference(plan_), ""); }

TEST_F(Mutation, ARowRingThatTurnsTheOtherWayIsSeen) {
  using namespace workloads;
  for (int y = 0; y < plan_.height; ++y)
    for (int x = 0; x < plan_.width; ++x) {
      for (const fabric::Color color : {color_x0, color_x1, color_x2}) {
        fabric::Route turned = plan_.routes.get({x, y}, color);
        std::swap(turned.position[0].in, turned.position[0].out);
        plan_.routes.set({x, y}, color, turned);
      }
      std::swap(word(plan_, x, y, word_row_in), word(plan_, x, y, word_row_out));
      std::swap(word(plan_, x, y, word_column_before), word(plan_, x, y, word_column_after));
      // An all-reduce still ends in the last column, which multicasts the result; it starts beside it.
      word(plan_, x, y, word_row_place) = x == 3 ? place_last : x == 2 ? place_first : place_middle;
    }
  EXPECT_NE(difference(plan_), "");
}

TEST_F(Mutation, TheTwoOperandsOfEachSubtractionInExchangeAreSeen) {
  const std::vector<models::Instruction>& code = plan_.programs[0].code;
  int seen = 0, squared = 0;
  for (std::size_t i = 0; i + 1 < code.size(); ++i) {
    if (code[i].op != Opcode::sub) continue;
    models::WaferPlan mutated = plan_;
    std::swap(mutated.programs[0].code[i].a, mutated.programs[0].code[i].b);
    // The square of a difference, as in the variance, is the same either way; that is all that may stay unseen.
    const models::Instruction& next = code[i + 1];
    const bool only_squared = next.op == Opcode::fma && next.a == code[i].dst && next.b == code[i].dst;
    EXPECT_EQ(difference(mutated).empty(), only_squared) << "instruction " << i << ": " << models::disassemble(code[i]);
    ++(only_squared ? squared : seen);
  }
  EXPECT_EQ(squared, 1);
  EXPECT_GE(seen, 10);
}

TEST_F(Mutation, AMissingHeadIsSeen) {
  for (int y = 0; y < plan_.height; ++y) word(plan_, 2, y, workloads::word_sequence_row) = -1;
  EXPECT_NE(difference(plan_), "");
}

}  // namespace
}  // namespace wafersim::tests
