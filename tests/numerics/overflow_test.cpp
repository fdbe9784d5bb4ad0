// Steps in which fp16 overflows: the simulated wafer and the untimed reference agree in every bit, infinities and NaNs included.

#include <cmath>
#include <gtest/gtest.h>
#include <string>

#include "tests/support/pure_wafer.h"
#include "tests/support/same_bits.h"
#include "tests/support/small_model.h"
#include "workloads/family.h"

namespace wafersim::tests {
namespace {

using workloads::Family;

// Two lanes, one of them with an empty sample; features, slots and the vocabulary padded, rows outside any sequence.
Experiment experiment(Family family, bool tied) {
  SmallModel model;
  model.family = family;
  model.tied = tied;
  model.type = sim::Dtype::f16;
  model.vocabulary = 20;
  model.loss_outputs_per_pe = 2;
  model.width = 14;
  model.lanes = 2;
  model.rows = 5;
  model.batch = 3;
  model.rotary = 4;
  return make_experiment(model);
}

// A step on both sides; whether it was skipped.
bool expect_same_bits(const Experiment& experiment) {
  const models::WaferPlan plan = experiment.plan();
  PureWafer wafer(experiment.machine, plan, experiment.store, experiment.training);
  workloads::reference::ReferenceTrainer reference = experiment.reference();
  const memoryx::StepBatch batch = experiment.batch(0);
  const models::StepResult got = wafer.run_step(batch);
  const workloads::reference::StepRecord expected = reference.step(batch.tokens, batch.targets);
  EXPECT_EQ(got.skipped, expected.update.skipped);
  EXPECT_EQ(first_difference(wafer.store(), reference.store()), "");
  return got.skipped;
}

class Overflow : public testing::TestWithParam<Family> {};

// Where gradients are near the largest value of fp16, infinities of both signs meet in the sums of MemoryX.
TEST_P(Overflow, OfGradientsGivesTheReferencesInfinitiesAndNaNs) {
  Experiment e = experiment(GetParam(), true);
  for (float& weight : e.store.weights()) weight *= 4.0f;
  int skipped = 0;
  for (const int power : {14, 16, 18}) {
    SCOPED_TRACE("loss scale 2^" + std::to_string(power));
    e.training.update.loss_scale.initial = std::ldexp(1.0, power);
    skipped += expect_same_bits(e) ? 1 : 0;
  }
  EXPECT_GT(skipped, 0);
}

INSTANTIATE_TEST_SUITE_P(Families, Overflow,
                         testing::Values(Family::gpt2, Family::gptj, Family::gpt_neox, Family::llama, Family::opt, Family::bert),
                         [](const auto& test) {
                           std::string family = workloads::name(test.param);
                           std::erase(family, '_');
                           return family;
                         });

class PaddedFeatures : public testing::TestWithParam<Family> {};

// Features far from 0 and close together: by the rule of the true ones, the gradient of a padded one would be beyond fp16.
TEST_P(PaddedFeatures, OfANormHaveNoGradientThatCouldOverflow) {
  Experiment e = experiment(GetParam(), false);
  const memoryx::ParameterEntry& words = e.store.table().entries().front();
  ASSERT_EQ(words.offset, e.training.embedding.token);
  for (std::size_t i = 0; i < words.size; ++i) e.store.weights()[i] += 8.0f;
  EXPECT_FALSE(expect_same_bits(e));
}

INSTANTIATE_TEST_SUITE_P(Families, PaddedFeatures, testing::Values(Family::gpt2, Family::gptj, Family::opt),
                         [](const auto& test) { return std::string(workloads::name(test.param)); });

}  // namespace
}  // namespace wafersim::tests
