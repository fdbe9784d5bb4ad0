// Several systems: the reference adds what each of them makes of its samples in SwarmX's order, and wafers simulated wavelet by wavelet
// behind SwarmX give its bits.

#include <gtest/gtest.h>

#include "models/system.h"
#include "tests/support/same_bits.h"
#include "tests/support/small_model.h"

namespace wafersim::tests {
namespace {

using workloads::reference::StepValues;

SmallModel model_of(sim::Dtype type, int systems, int fanout, int micro_batches) {
  SmallModel model;
  model.systems = systems;
  model.fanout = fanout;
  model.micro_batches = micro_batches;
  model.batch = 2 * systems * micro_batches;
  model.type = type;
  return model;
}

std::vector<std::uint32_t> part(const std::vector<std::uint32_t>& ids, int number, int parts) {
  const auto size = static_cast<std::ptrdiff_t>(ids.size()) / parts;
  return {ids.begin() + number * size, ids.begin() + (number + 1) * size};
}

class Systems : public testing::TestWithParam<std::tuple<sim::Dtype, int, int>> {};

TEST_P(Systems, GradientsAreTheTreesSumsOfTheSystemsAlone) {
  const auto [type, count, fanout] = GetParam();
  constexpr int micro_batches = 2;
  const Experiment all = make_experiment(model_of(type, count, fanout, micro_batches)), one = make_experiment(model_of(type, 1, fanout, 1));
  const memoryx::StepBatch batch = all.batch(0);
  const int parts = count * micro_batches;
  const double scale = 1024.0 * parts;  // a system alone divides by fewer tokens
  const StepValues got = workloads::reference::run_step(all.lowering, all.graph, all.store.weights(), batch.tokens, batch.targets, scale);
  std::vector<float> expected;
  double loss = 0;
  for (int m = 0; m < micro_batches; ++m) {
    memoryx::SwarmSum sum(fanout);
    for (int w = 0; w < count; ++w) {
      const int p = w * micro_batches + m;
      StepValues values = workloads::reference::run_step(one.lowering, one.graph, one.store.weights(), part(batch.tokens, p, parts),
                                                         part(batch.targets, p, parts), scale / parts);
      loss += values.loss / parts;
      sum.add(std::move(values.gradients));
    }
    const std::vector<float> total = sum.take();
    if (m == 0) expected = total;
    for (std::size_t e = 0; m > 0 && e < expected.size(); ++e) expected[e] = expected[e] + total[e];
  }
  EXPECT_NEAR(got.loss, loss, 1e-6);  // words of fp32
  for (const memoryx::ParameterEntry& entry : all.store.table().entries())
    for (std::size_t e = entry.offset; e < entry.offset + entry.size; ++e) {
      if (entry.name == "wte.weight" || entry.name == "wpe.weight")
        ASSERT_NEAR(got.gradients[e], expected[e], 1e-5 * scale) << entry.name;  // tokens are added after all systems' sums
      else
        ASSERT_EQ(got.gradients[e], expected[e]) << entry.name;
    }
}

INSTANTIATE_TEST_SUITE_P(Trees, Systems,
                         testing::Combine(testing::Values(sim::Dtype::f32, sim::Dtype::f16), testing::Values(1, 2, 3, 5),
                                          testing::Values(2, 4)),
                         [](const auto& test) {
                           return (std::get<0>(test.param) == sim::Dtype::f32 ? "Fp32x" : "Fp16x") +
                                  std::to_string(std::get<1>(test.param)) + "Fanout" + std::to_string(std::get<2>(test.param));
                         });

struct Case {
  const char* name;
  SmallModel model;
};

// Three steps in SystemC.
class Wafers : public testing::TestWithParam<std::tuple<Case, sim::Dtype>> {};

TEST_P(Wafers, TrainLikeTheReference) {
  SmallModel model = std::get<0>(GetParam()).model;
  model.type = std::get<1>(GetParam());
  const Experiment experiment = make_experiment(model);
  const models::WaferPlan plan = experiment.plan();
  models::System system(experiment.machine, plan, experiment.store, experiment.training, {4, 4, 1});
  workloads::reference::ReferenceTrainer reference = experiment.reference();
  for (int step = 0; step < 3; ++step) {
    const memoryx::StepBatch batch = experiment.batch(step);
    const models::StepResult got = system.run_step(batch);
    const workloads::reference::StepRecord expected = reference.step(batch.tokens, batch.targets);
    EXPECT_EQ(got.loss, expected.loss) << "step " << step;
    EXPECT_EQ(got.gradient_norm, expected.update.gradient_norm) << "step " << step;
    EXPECT_EQ(got.skipped, expected.update.skipped) << "step " << step;
    ASSERT_EQ(first_difference(system.store(), reference.store()), "") << "step " << step;
  }
  EXPECT_NE(system.store().weights(), experiment.store.weights()) << "no step was taken";
}

std::vector<Case> wafer_cases() {
  std::vector<Case> cases;
  const auto add = [&](const char* name, int systems, int fanout, int micro_batches) -> SmallModel& {
    cases.push_back({name, model_of(sim::Dtype::f32, systems, fanout, micro_batches)});
    return cases.back().model;
  };
  add("TwoSystems", 2, 4, 1);
  add("TwoSystemsInMicroBatches", 2, 2, 2);
  add("ThreeSystemsOfOneNode", 3, 4, 1);
  add("ThreeSystemsOfTwoLevels", 3, 2, 1);
  add("FiveSystemsOfTwoLevels", 5, 4, 1);
  add("FiveSystemsOfThreeLevelsInMicroBatches", 5, 2, 2).layers = 2;
  SmallModel& padded = add("TwoSystemsPaddedInLanesRecomputed", 2, 4, 3);  // samples, heads' features, rows, vocabulary
  padded.batch = 18;
  padded.lanes = 2;
  padded.heads = 1;
  padded.columns_per_head = 3;
  padded.rows = 11;
  padded.width = 8;
  padded.sequence = 11;
  padded.vocabulary = 37;
  padded.loss_outputs_per_pe = 3;
  padded.layers = 2;
  padded.recompute = true;
  add("ThreeSystemsOfBert", 3, 2, 2).family = workloads::Family::bert;
  SmallModel& llama = add("TwoSystemsOfUntiedLlama", 2, 2, 1);
  llama.family = workloads::Family::llama;
  llama.tied = false;
  llama.rotary = 8;
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Trees, Wafers,
                         testing::Combine(testing::ValuesIn(wafer_cases()), testing::Values(sim::Dtype::f32, sim::Dtype::f16)),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param).name) +
                                  (std::get<1>(test.param) == sim::Dtype::f32 ? "Fp32" : "Fp16");
                         });

}  // namespace
}  // namespace wafersim::tests
