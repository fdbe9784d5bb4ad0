// The simulated wafer computes what the untimed reference computes, bit for bit, and what an independent implementation computes, within
// its rounding (tests/golden/README.md). Every step compares loss, norm, all gradients, weights and moments.

#include <cmath>
#include <filesystem>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <ostream>

#include "models/system.h"
#include "sim/json_file.h"
#include "tests/support/pure_wafer.h"
#include "tests/support/same_bits.h"
#include "tests/support/small_model.h"
#include "workloads/data.h"
#include "workloads/hf_config.h"
#include "workloads/safetensors.h"

namespace wafersim::tests {
namespace {

struct Case {
  const char* name;
  SmallModel model;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

SmallModel with(int lanes, int heads, int columns_per_head, int rows, int width, int batch, int sequence) {
  SmallModel model;
  model.lanes = lanes;
  model.heads = heads;
  model.columns_per_head = columns_per_head;
  model.rows = rows;
  model.width = width;
  model.batch = batch;
  model.sequence = sequence;
  return model;
}

std::vector<Case> cases() {
  Case chunks{"SeveralChunksOfAPaddedVocabulary", with(1, 2, 2, 4, 16, 2, 8)};
  chunks.model.vocabulary = 37;
  chunks.model.loss_outputs_per_pe = 3;
  Case layers{"ThreeLayersUntied", with(1, 2, 1, 5, 8, 2, 6)};
  layers.model.layers = 3;
  layers.model.tied = false;
  Case slots{"PaddedSlotsAndRowsOutsideAnySequence", with(1, 2, 2, 9, 16, 2, 10)};
  slots.model.rows_per_sequence = 4;
  Case two{"TwoMicroBatches", with(1, 2, 2, 4, 16, 4, 8)};
  two.model.micro_batches = 2;
  Case three{"ThreeMicroBatchesInTwoLanesRecomputed", with(2, 1, 3, 11, 8, 9, 11)};
  three.model.micro_batches = 3;
  three.model.layers = 2;
  three.model.recompute = true;
  Case again{"RecomputedUntied", with(1, 2, 1, 5, 8, 2, 6)};
  again.model.layers = 3;
  again.model.tied = false;
  again.model.recompute = true;
  Case further{"TwoLanesWithColumnsBehindTheHeads", with(2, 2, 3, 13, 14, 3, 11)};  // residual 2 a PE, heads 3
  further.model.further_columns = 1;
  further.model.recompute = true;
  Case part{"TwoLayersOfThreeRecomputedInMicroBatches", with(1, 2, 2, 4, 16, 4, 8)};
  part.model.layers = 3;
  part.model.micro_batches = 2;
  part.model.recompute = true;
  part.model.kept_layers = 1;
  return {two,
          part,
          three,
          again,
          further,
          {"NoPadding", with(1, 2, 2, 4, 16, 2, 8)},
          {"OneColumnAHead", with(1, 4, 1, 8, 16, 2, 8)},
          {"OneRow", with(2, 1, 1, 1, 8, 2, 6)},
          {"OneRowASequence", with(1, 2, 1, 3, 8, 3, 5)},
          {"TwoLanesWithPaddedFeatures", with(2, 1, 3, 11, 8, 3, 11)},
          {"ThreeLanesWithAnEmptySample", with(3, 2, 1, 6, 8, 4, 7)},
          {"FeaturesPaddedInsideHeads", with(1, 2, 3, 8, 10, 2, 8)},
          chunks,
          layers,
          slots};
}

SmallModel of_family(workloads::Family family, SmallModel model, int rotary) {
  model.family = family;
  model.tied = false;
  model.rotary = rotary;
  return model;
}

// Rotations that fill a head or leave some of its features, pairs in columns with an odd place left, slices of keys with and without
// padding, a bias of the unembedding in several chunks.
std::vector<Case> family_cases() {
  using enum workloads::Family;
  std::vector<Case> all = {{"GptjNoPadding", of_family(gptj, with(1, 2, 2, 4, 16, 2, 8), 4)},
                           {"GptjTwoLanesPaddedHeads", of_family(gptj, with(2, 2, 3, 13, 16, 3, 11), 8)},
                           {"GptjOneColumnAHead", of_family(gptj, with(1, 4, 1, 8, 24, 2, 8), 2)},
                           {"GptNeoxNoPadding", of_family(gpt_neox, with(1, 2, 2, 4, 16, 2, 8), 2)},
                           {"GptNeoxTwoLanesPaddedHeads", of_family(gpt_neox, with(2, 2, 3, 13, 20, 3, 11), 6)},
                           {"GptNeoxSerialResidual", of_family(gpt_neox, with(1, 4, 1, 9, 16, 2, 10), 4)},
                           {"LlamaWithKeysForEachHead", of_family(llama, with(1, 2, 2, 4, 16, 2, 8), 8)},
                           {"LlamaGroupsOfTwo", of_family(llama, with(1, 4, 2, 8, 16, 2, 8), 4)},
                           {"LlamaGroupsOfThreeWithPaddedSlices", of_family(llama, with(1, 3, 2, 9, 24, 2, 7), 8)},
                           {"LlamaOneGroupOnTwoLanes", of_family(llama, with(2, 2, 3, 13, 20, 3, 11), 10)}};
  all[1].model.loss_outputs_per_pe = 3;
  all[5].model.parallel_residual = false;
  all[7].model.kv_heads = 2;
  all[8].model.kv_heads = 1;
  all[8].model.inner = 22;
  all[9].model.kv_heads = 1;
  all[9].model.loss_outputs_per_pe = 3;
  // Learned positions from the third row on; no causal mask, norms of the stream and of the embedding, a head, masked tokens.
  const auto family = [&](const char* name, workloads::Family of, SmallModel model) {
    model.family = of;
    all.push_back({name, model});
  };
  family("OptNoPadding", opt, with(1, 2, 2, 4, 16, 2, 8));
  family("OptTwoLanesPaddedHeads", opt, with(2, 2, 3, 13, 20, 3, 11));
  family("BertNoPadding", bert, with(1, 2, 2, 4, 16, 2, 8));
  family("BertOneColumnAHead", bert, with(1, 4, 1, 8, 16, 2, 8));
  family("BertOneRowASequence", bert, with(1, 2, 1, 3, 8, 3, 5));
  family("BertTwoLanesPaddedHeadsAndSlots", bert, with(2, 2, 3, 13, 20, 3, 11));
  family("BertThreeLanesWithAnEmptySample", bert, with(3, 2, 1, 6, 8, 4, 7));
  family("BertRowsWithoutTokens", bert, with(1, 2, 2, 20, 16, 4, 3));
  family("BertMicroBatchesRecomputedInChunks", bert, with(1, 2, 2, 9, 16, 4, 10));
  all.back().model.layers = 2;
  all.back().model.micro_batches = 2;
  all.back().model.recompute = true;
  all.back().model.rows_per_sequence = 4;
  all.back().model.vocabulary = 37;
  all.back().model.loss_outputs_per_pe = 3;
  Case relu{"Gpt2WithRelu", with(1, 2, 2, 4, 16, 2, 8)};
  relu.model.activation = workloads::Activation::relu;
  all.push_back(relu);
  Case further{"GptjWithColumnsBehindTheHeads", of_family(gptj, with(2, 2, 3, 13, 16, 3, 11), 8)};
  further.model.further_columns = 2;
  further.model.loss_outputs_per_pe = 3;
  all.push_back(further);
  return all;
}

class Wafer : public testing::TestWithParam<std::tuple<Case, sim::Dtype>> {
 protected:
  Experiment experiment() const {
    SmallModel model = std::get<0>(GetParam()).model;
    model.type = std::get<1>(GetParam());
    return make_experiment(model);
  }
};

// Trains `steps` steps on both sides.
template <class Machine>
void expect_same_bits(Machine& wafer, const Experiment& experiment, int steps) {
  workloads::reference::ReferenceTrainer reference = experiment.reference();
  for (int step = 0; step < steps; ++step) {
    const memoryx::StepBatch batch = experiment.batch(step);
    const models::StepResult got = wafer.run_step(batch);
    const workloads::reference::StepRecord expected = reference.step(batch.tokens, batch.targets);
    EXPECT_EQ(got.loss, expected.loss) << "step " << step;
    EXPECT_TRUE(got.gradient_norm == expected.update.gradient_norm || (got.skipped && std::isnan(got.gradient_norm))) << "step " << step;
    EXPECT_EQ(got.loss_scale, expected.update.loss_scale) << "step " << step;
    EXPECT_EQ(got.skipped, expected.update.skipped) << "step " << step;
    ASSERT_EQ(first_difference(wafer.store(), reference.store()), "") << "step " << step;
  }
  EXPECT_NE(wafer.store().weights(), experiment.store.weights()) << "no step was taken";
}

TEST_P(Wafer, LossesGradientsAndWeightsOfThreeStepsAreThoseOfTheReference) {
  const Experiment s = experiment();
  const models::WaferPlan plan = s.plan();
  PureWafer wafer(s.machine, plan, s.store, s.training);
  expect_same_bits(wafer, s, 3);
}

INSTANTIATE_TEST_SUITE_P(Layouts, Wafer, testing::Combine(testing::ValuesIn(cases()), testing::Values(sim::Dtype::f32, sim::Dtype::f16)),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param).name) +
                                  (std::get<1>(test.param) == sim::Dtype::f32 ? "Fp32" : "Fp16");
                         });

INSTANTIATE_TEST_SUITE_P(Families, Wafer,
                         testing::Combine(testing::ValuesIn(family_cases()),
                                          testing::Values(sim::Dtype::f32, sim::Dtype::f16, sim::Dtype::bf16)),
                         [](const auto& test) {
                           std::string type = sim::storage_name(std::get<1>(test.param));
                           type[0] = static_cast<char>(type[0] - 'a' + 'A');
                           return std::get<0>(test.param).name + type;
                         });

TEST(WaferAndReference, ABf16StepTakesTheCyclesOfAnFp16Step) {
  SmallModel model = with(2, 1, 3, 11, 8, 3, 11);
  std::vector<std::uint64_t> cycles;
  for (const sim::Dtype type : {sim::Dtype::f16, sim::Dtype::bf16}) {
    model.type = type;
    const Experiment s = make_experiment(model);
    const models::WaferPlan plan = s.plan();
    PureWafer wafer(s.machine, plan, s.store, s.training);
    const models::StepResult step = wafer.run_step(s.batch(0));
    cycles.push_back(step.last - step.first);
  }
  EXPECT_EQ(cycles[0], cycles[1]);
}

TEST(WaferWithoutRoom, ArraysThatLieByLifetimeBecauseFirstFitLeavesGapsChangeNoBit) {
  SmallModel model = of_family(workloads::Family::gptj, with(1, 2, 2, 4, 16, 2, 8), 4);
  model.layers = 2;
  model.recompute = true;
  for (const sim::Dtype type : {sim::Dtype::f32, sim::Dtype::f16}) {
    model.type = type;
    Experiment s = make_experiment(model);
    const models::WaferPlan roomy = s.plan();
    s.machine.sram.bytes = roomy.sram.peak_bytes - 8;
    const models::WaferPlan plan = s.plan();
    EXPECT_LT(plan.sram.peak_bytes, roomy.sram.peak_bytes);
    PureWafer wafer(s.machine, plan, s.store, s.training);
    expect_same_bits(wafer, s, 2);
  }
}

TEST(WaferInSystemC, TrainsTwoLanesInHalfPrecisionLikeTheReference) {
  SmallModel model = with(2, 1, 3, 11, 8, 3, 11);
  model.type = sim::Dtype::f16;
  const Experiment experiment = make_experiment(model);
  const models::WaferPlan plan = experiment.plan();
  models::System system(experiment.machine, plan, experiment.store, experiment.training, {4, 4, 1});
  expect_same_bits(system, experiment, 3);
}

TEST(WaferInSystemC, TrainsInSinglePrecisionLikeTheReference) {
  const Experiment experiment = make_experiment(with(1, 2, 2, 4, 16, 2, 8));
  const models::WaferPlan plan = experiment.plan();
  models::System system(experiment.machine, plan, experiment.store, experiment.training, {});
  expect_same_bits(system, experiment, 3);
}

TEST(WaferAndReference, SkipTheSameStepsAndHalveTheLossScale) {
  SmallModel model = with(1, 2, 2, 4, 16, 2, 8);
  model.type = sim::Dtype::f16;
  Experiment experiment = make_experiment(model);
  experiment.training.update.loss_scale.initial = 1 << 21;
  const models::WaferPlan plan = experiment.plan();
  PureWafer wafer(experiment.machine, plan, experiment.store, experiment.training);
  EXPECT_TRUE(wafer.run_step(experiment.batch(0)).skipped);
  PureWafer again(experiment.machine, plan, experiment.store, experiment.training);
  expect_same_bits(again, experiment, 6);
}

// The golden runs: batch 4, sequence 16, weights of tests/golden.
class WaferGolden : public testing::TestWithParam<const char*> {
 protected:
  std::filesystem::path folder_ = std::filesystem::path(WAFERSIM_SOURCE_DIR) / "tests/golden" / GetParam();

  std::vector<float> values(const char* file, const memoryx::ParameterTable& table) const {
    std::vector<float> all;
    for (const workloads::NamedTensor& tensor : workloads::select_tensors(workloads::read_safetensors(folder_ / file), table, file))
      all.insert(all.end(), tensor.values.begin(), tensor.values.end());
    return all;
  }

  // lanes x heads of `columns_per_head` columns, in fp32.
  Experiment experiment(int lanes, int columns_per_head, int rows) const {
    const workloads::ModelShape shape = workloads::read_hf_config(folder_ / "config.json").shape;
    SmallModel model = with(lanes, shape.heads, columns_per_head, rows, shape.width, 4, 16);
    model.vocabulary = shape.vocabulary;
    workloads::LoweringSpec lowering = lowering_of(model);
    lowering.shape = shape;
    Experiment s = make_experiment(lowering);
    s.training.update.optimizer.weight_decay = 0.1;
    s.store.weights() = values("init.safetensors", s.store.table());
    return s;
  }

  template <class Machine>
  void expect_golden(Machine& wafer, const Experiment& experiment, int steps) const {
    const nlohmann::json golden = sim::read_json_file(folder_ / "losses_clip.json");
    const workloads::Tokens tokens = workloads::read_text(folder_.parent_path() / "gpt2/text.txt");
    const memoryx::ParameterTable& table = experiment.store.table();
    for (int step = 0; step < steps; ++step) {
      const workloads::Batch batch = workloads::make_batch(tokens, static_cast<std::uint64_t>(step), 4, 16);
      const models::StepResult got = wafer.run_step({batch.inputs, batch.targets});
      const double loss = golden["loss"][step], norm = golden["gradient_norm"][step];
      EXPECT_NEAR(got.loss, loss, 1e-6 * loss) << "step " << step;
      EXPECT_NEAR(got.gradient_norm, norm, 1e-5 * norm) << "step " << step;
      if (step > 0) continue;
      const std::vector<float> expected = values("step0_gradients.safetensors", table);
      for (const memoryx::ParameterEntry& entry : table.entries()) {
        double difference = 0, square = 0;
        for (std::size_t e = entry.offset; e < entry.offset + entry.size; ++e) {
          difference += std::pow(wafer.store().gradients()[e] - static_cast<double>(expected[e]), 2);
          square += std::pow(static_cast<double>(expected[e]), 2);
        }
        EXPECT_LT(std::sqrt(difference), 1e-5 * std::sqrt(square)) << entry.name;
      }
    }
  }
};

TEST_P(WaferGolden, TheWaferInSystemCMeetsTheLossesAndGradientsOfPyTorch) {
  const Experiment s = experiment(1, 1, 16);
  const models::WaferPlan plan = s.plan();
  models::System system(s.machine, plan, s.store, s.training, {});
  expect_golden(system, s, 3);
}

TEST_P(WaferGolden, TwoPaddedLanesMeetTheLossesAndGradientsOfPyTorch) {
  const Experiment s = experiment(2, 1, 9);
  const models::WaferPlan plan = s.plan();
  PureWafer wafer(s.machine, plan, s.store, s.training);
  expect_golden(wafer, s, 3);
}

INSTANTIATE_TEST_SUITE_P(Families, WaferGolden, testing::Values("gpt2", "gptj", "gpt_neox", "gpt_neox_serial", "llama"),
                         [](const auto& test) {
                           std::string family = test.param;
                           std::erase(family, '_');
                           return family;
                         });

}  // namespace
}  // namespace wafersim::tests
