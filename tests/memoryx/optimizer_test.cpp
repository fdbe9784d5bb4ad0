#include "memoryx/optimizer.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace wafersim::memoryx {
namespace {

ParameterStore two_tensors() {
  ParameterTable table;
  table.add("matrix", {2, 3}, ParameterEntry::Initial::normal);
  table.add("bias", {2}, ParameterEntry::Initial::zero);
  ParameterStore store(table);
  for (std::size_t e = 0; e < store.size(); ++e) {
    store.weights()[e] = 0.5f + 0.25f * static_cast<float>(e);
    store.gradients()[e] = 0.1f * static_cast<float>(e) - 0.3f;
  }
  return store;
}

// AdamW of the paper in double, with the decay decoupled.
struct Double {
  double w, m = 0.0, v = 0.0;
  void step(const OptimizerSpec& spec, double g, double decay, int t) {
    w -= spec.lr * decay * w;
    m = spec.beta1 * m + (1 - spec.beta1) * g;
    v = spec.beta2 * v + (1 - spec.beta2) * g * g;
    w -= spec.lr * (m / (1 - std::pow(spec.beta1, t))) / (std::sqrt(v / (1 - std::pow(spec.beta2, t))) + spec.eps);
  }
};

TEST(AdamW, FollowsTheFormulaForManySteps) {
  OptimizerSpec spec;
  spec.lr = 1e-2;
  spec.weight_decay = 0.1;
  ParameterStore store = two_tensors();
  std::vector<Double> expected;
  for (const float w : store.weights()) expected.push_back({w});
  for (int t = 1; t <= 50; ++t) {
    for (std::size_t e = 0; e < store.size(); ++e) {
      store.gradients()[e] = static_cast<float>(std::sin(0.3 * t + static_cast<double>(e)));
      expected[e].step(spec, store.gradients()[e], e < 6 ? 0.1 : 0.0, t);
    }
    update_range(store, spec, update_scalars(spec, spec.lr, t, 1.0f, 1.0f), 0, store.size());
  }
  for (std::size_t e = 0; e < store.size(); ++e) EXPECT_NEAR(store.weights()[e], expected[e].w, 2e-6) << e;
}

TEST(AdamW, FirstStepMovesByTheLearningRateWhateverTheGradient) {
  OptimizerSpec spec;
  spec.lr = 0.25;
  ParameterStore store = two_tensors();
  store.gradients() = {1e-3f, -1e-3f, 10.0f, -10.0f, 1.0f, -1.0f, 5.0f, -5.0f};
  const std::vector<float> before = store.weights();
  update_range(store, spec, update_scalars(spec, spec.lr, 1, 1.0f, 1.0f), 0, store.size());
  for (std::size_t e = 0; e < store.size(); ++e) EXPECT_NEAR(store.weights()[e], before[e] + (e % 2 == 0 ? -0.25f : 0.25f), 1e-5) << e;
}

TEST(AdamW, DecaysOnlyTheMatrix) {
  OptimizerSpec spec;
  spec.lr = 0.5;
  spec.weight_decay = 0.5;
  ParameterStore store = two_tensors();
  store.clear_gradients();
  const std::vector<float> before = store.weights();
  update_range(store, spec, update_scalars(spec, spec.lr, 1, 1.0f, 1.0f), 0, store.size());
  for (std::size_t e = 0; e < store.size(); ++e) EXPECT_EQ(store.weights()[e], e < 6 ? 0.75f * before[e] : before[e]) << e;
}

TEST(AdamW, AnySplitIntoRangesGivesTheSameBits) {
  OptimizerSpec spec;
  spec.weight_decay = 0.1;
  ParameterStore whole = two_tensors();
  ParameterStore split = two_tensors();
  const UpdateScalars scalars = update_scalars(spec, spec.lr, 1, 0.5f, 0.75f);
  update_range(whole, spec, scalars, 0, 8);
  update_range(split, spec, scalars, 5, 8);
  update_range(split, spec, scalars, 0, 2);
  update_range(split, spec, scalars, 2, 5);
  EXPECT_EQ(whole.weights(), split.weights());
  EXPECT_EQ(whole.first_moments(), split.first_moments());
  EXPECT_EQ(whole.second_moments(), split.second_moments());
}

TEST(Sgd, StepsAgainstTheUnscaledAndClippedGradient) {
  OptimizerSpec spec;
  spec.kind = OptimizerSpec::Kind::sgd;
  spec.weight_decay = 1.0;
  ParameterStore store = two_tensors();
  store.gradients().assign(8, 64.0f);
  const std::vector<float> before = store.weights();
  update_range(store, spec, update_scalars(spec, 0.25, 1, 1.0f / 16.0f, 0.5f), 0, store.size());
  for (std::size_t e = 0; e < store.size(); ++e) EXPECT_EQ(store.weights()[e], (e < 6 ? 0.75f * before[e] : before[e]) - 0.5f) << e;
}

TEST(GradientSummary, IsTheNormOfTheUnscaledGradients) {
  ParameterStore store = two_tensors();
  store.gradients() = {3.0f * 1024, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, -4.0f * 1024};
  const GradientSummary summary = summarize_gradients(store, 1.0f / 1024);
  EXPECT_EQ(summary.norm, 5.0f);
  EXPECT_TRUE(summary.finite);
}

TEST(GradientSummary, SeesASingleInfinityOrNotANumber) {
  for (const float bad : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(), std::nanf("")}) {
    ParameterStore store = two_tensors();
    store.gradients()[5] = bad;
    EXPECT_FALSE(summarize_gradients(store, 1.0f).finite);
  }
}

TEST(Clipping, ShortensOnlyWhatIsLongerThanTheLimit) {
  EXPECT_EQ(clip_factor(0.0, 100.0f), 1.0f);
  EXPECT_EQ(clip_factor(1.0, 0.5f), 1.0f);
  EXPECT_NEAR(clip_factor(1.0, 4.0f), 0.25f, 1e-6);
}

}  // namespace
}  // namespace wafersim::memoryx
