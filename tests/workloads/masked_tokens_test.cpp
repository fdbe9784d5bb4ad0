#include "workloads/masked_tokens.h"

#include <gtest/gtest.h>

#include "memoryx/training.h"

namespace wafersim::workloads {
namespace {

constexpr int vocabulary = 1000, mask = 999;

// 100,000 tokens, none of which is the mask.
Batch plain() {
  Batch batch;
  for (std::uint32_t i = 0; i < 100000; ++i) batch.inputs.push_back(i * 7 % mask);
  batch.targets = batch.inputs;
  return batch;
}

TEST(MaskedTokens, AreFifteenInAHundredOfWhichEightTenthsAreTheMaskATenthIsAnyTokenAndATenthStays) {
  const Batch before = plain(), after = mask_tokens(before, vocabulary, mask, 1, 0);
  int hidden = 0, masked = 0, same = 0;
  for (std::size_t i = 0; i < before.inputs.size(); ++i) {
    if (after.targets[i] == memoryx::no_target) {
      EXPECT_EQ(after.inputs[i], before.inputs[i]);
      continue;
    }
    ++hidden;
    EXPECT_EQ(after.targets[i], before.inputs[i]);
    EXPECT_LT(after.inputs[i], static_cast<std::uint32_t>(vocabulary));
    masked += after.inputs[i] == mask;
    same += after.inputs[i] == before.inputs[i];
  }
  EXPECT_NEAR(hidden, 15000, 4 * 113);  // standard deviations of the binomial distribution
  EXPECT_NEAR(masked, 0.8 * hidden, 4 * 49);
  EXPECT_NEAR(same, 0.1 * hidden, 4 * 37);
}

TEST(MaskedTokens, DependOnSeedStepAndPlaceAndNothingElse) {
  const Batch a = mask_tokens(plain(), vocabulary, mask, 1, 3), again = mask_tokens(plain(), vocabulary, mask, 1, 3);
  EXPECT_EQ(a.inputs, again.inputs);
  EXPECT_EQ(a.targets, again.targets);
  EXPECT_NE(a.targets, mask_tokens(plain(), vocabulary, mask, 1, 4).targets);
  EXPECT_NE(a.targets, mask_tokens(plain(), vocabulary, mask, 2, 3).targets);
}

TEST(MaskedTokens, AreForModelsThatSeeAllTokens) {
  const Tokens tokens("memory", std::vector<std::uint8_t>(200, 7), 1);
  ModelShape shape;
  shape.vocabulary = 256;
  shape.mask_token = 255;
  const Batch next = training_batch(tokens, shape, 1, 0, 4, 16);
  EXPECT_EQ(next.targets, std::vector<std::uint32_t>(64, 7));
  shape.family = Family::bert;
  const Batch hidden = training_batch(tokens, shape, 1, 0, 4, 16);
  EXPECT_GT(memoryx::loss_tokens(hidden.targets), 1);
  EXPECT_LT(memoryx::loss_tokens(hidden.targets), 32);
}

TEST(MaskedTokens, ALossOverNoneOfThemIsTheMeanOverOne) {
  EXPECT_EQ(memoryx::loss_tokens({memoryx::no_target, memoryx::no_target}), 1);
  EXPECT_EQ(memoryx::loss_tokens({memoryx::no_target, 4, 5}), 2);
}

}  // namespace
}  // namespace wafersim::workloads
