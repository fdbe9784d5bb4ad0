#include "memoryx/update.h"

#include <gtest/gtest.h>
#include <limits>

namespace wafersim::memoryx {
namespace {

ParameterStore one_tensor() {
  ParameterTable table;
  table.add("bias", {2}, ParameterEntry::Initial::one);
  ParameterStore store(table);
  store.weights() = {1.0f, 2.0f};
  return store;
}

UpdateSpec scaled() {
  UpdateSpec spec;
  spec.loss_scale = {1024.0, 2000, true};
  return spec;
}

TEST(Update, AnOverflowChangesNoWeightNorMomentAndHalvesTheScale) {
  Updater updater(scaled());
  ParameterStore store = one_tensor();
  store.gradients() = {1.0f, std::numeric_limits<float>::infinity()};
  const UpdateRecord record = updater.finish_step(store);
  EXPECT_TRUE(record.skipped);
  EXPECT_EQ(record.loss_scale, 1024.0);
  EXPECT_EQ(updater.loss_scale(), 512.0);
  EXPECT_EQ(store.weights(), (std::vector<float>{1.0f, 2.0f}));
  EXPECT_EQ(store.first_moments(), (std::vector<float>{0.0f, 0.0f}));
}

TEST(Update, ASkippedStepDoesNotAdvanceTheOptimizersTime) {
  Updater skipping(scaled());
  ParameterStore a = one_tensor();
  a.gradients() = {std::numeric_limits<float>::quiet_NaN(), 0.0f};
  skipping.finish_step(a);
  a.gradients() = {512.0f, -1024.0f};
  skipping.finish_step(a);

  Updater plain(scaled());
  ParameterStore b = one_tensor();
  b.gradients() = {1024.0f, -2048.0f};
  plain.finish_step(b);
  EXPECT_EQ(a.weights(), b.weights());
}

TEST(Update, TheScheduleCountsSkippedSteps) {
  UpdateSpec spec = scaled();
  spec.optimizer.lr = 1.0;
  spec.schedule.warmup_steps = 3;
  Updater updater(spec);
  ParameterStore store = one_tensor();
  store.gradients() = {std::numeric_limits<float>::infinity(), 0.0f};
  EXPECT_EQ(updater.finish_step(store).lr, 0.25);
  store.gradients() = {1.0f, 0.0f};
  EXPECT_EQ(updater.finish_step(store).lr, 0.5);
}

TEST(Update, ReportsTheNormBeforeClippingAndStepsByTheClippedGradient) {
  UpdateSpec spec;
  spec.loss_scale = no_loss_scale();
  spec.optimizer.kind = OptimizerSpec::Kind::sgd;
  spec.optimizer.lr = 1.0;
  spec.clip = 1.0;
  Updater updater(spec);
  ParameterStore store = one_tensor();
  store.gradients() = {3.0f, 4.0f};
  EXPECT_EQ(updater.finish_step(store).gradient_norm, 5.0f);
  EXPECT_NEAR(store.weights()[0], 1.0 - 0.6, 1e-6);
  EXPECT_NEAR(store.weights()[1], 2.0 - 0.8, 1e-6);
}

}  // namespace
}  // namespace wafersim::memoryx
