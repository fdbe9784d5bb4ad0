// The reference trainer against an independent implementation: losses, gradient norms and gradients of small models of every family
// made with PyTorch in fp32 (tests/golden/README.md), on meshes with and without padding.

#include <cmath>
#include <filesystem>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sim/json_file.h"
#include "workloads/data.h"
#include "workloads/hf_config.h"
#include "workloads/reference/reference_trainer.h"
#include "workloads/safetensors.h"

namespace wafersim::workloads::reference {
namespace {

constexpr int batch = 4;
constexpr int sequence = 16;
constexpr int steps = 10;

struct Mesh {
  const char* name;
  int lanes;
  int columns_per_head;
  int rows;
  int rows_per_sequence;
  int loss_outputs_per_pe;
};

// Heads of 8 features, 4 samples of 16 tokens, an MLP of 128 features, 256 vocabulary entries.
constexpr Mesh meshes[] = {
    {"OneLaneNoPadding", 1, 1, 16, 4, 16},
    {"OneRowASequence", 1, 1, 4, 1, 64},
    {"TwoLanesHeadsOfThreeColumns", 2, 3, 12, 5, 7},    // features, tokens, rows and vocabulary padded
    {"ThreeLanesWithAnEmptySample", 3, 2, 14, 6, 5},    // two samples a lane, six places for four
    {"FourLanesHeadsOfFiveColumns", 4, 5, 20, 16, 13},  // one token a PE, empty columns in a head
};

Layout layout_of(const ModelShape& shape, const Mesh& mesh) {
  Layout layout;
  layout.lanes = mesh.lanes;
  layout.columns = shape.heads * mesh.columns_per_head;
  layout.rows = mesh.rows;
  layout.batch = batch;
  layout.sequence = sequence;
  layout.heads = shape.heads;
  layout.columns_per_head = mesh.columns_per_head;
  layout.samples_per_lane = (batch + mesh.lanes - 1) / mesh.lanes;
  layout.rows_per_sequence = mesh.rows_per_sequence;
  layout.tokens_per_pe = (sequence + mesh.rows_per_sequence - 1) / mesh.rows_per_sequence;
  return layout;
}

// Distance of two tensors relative to the norm of the second.
double distance(const std::vector<float>& a, const std::vector<float>& b, const memoryx::ParameterEntry& entry, double scale) {
  double difference = 0.0;
  double norm = 0.0;
  for (std::size_t e = entry.offset; e < entry.offset + entry.size; ++e) {
    difference += std::pow(a[e] / scale - b[e], 2);
    norm += std::pow(static_cast<double>(b[e]), 2);
  }
  return std::sqrt(difference / norm);
}

class Golden : public testing::TestWithParam<std::tuple<const char*, Mesh>> {
 protected:
  std::filesystem::path folder_ = std::filesystem::path(WAFERSIM_SOURCE_DIR) / "tests/golden" / std::get<0>(GetParam());
  Mesh mesh_ = std::get<1>(GetParam());
  ModelShape shape_ = read_hf_config(folder_ / "config.json").shape;
  memoryx::ParameterTable table_ = parameter_table(shape_);
  Tokens tokens_ = read_text(folder_.parent_path() / "gpt2/text.txt");

  std::vector<float> flat(const char* file) const {
    std::vector<float> out;
    for (const NamedTensor& tensor : select_tensors(read_safetensors(folder_ / file), table_, file))
      out.insert(out.end(), tensor.values.begin(), tensor.values.end());
    return out;
  }

  ReferenceTrainer trainer(const memoryx::UpdateSpec& update, sim::Dtype type) const {
    memoryx::ParameterStore store(table_);
    store.weights() = flat("init.safetensors");
    return {{shape_, layout_of(shape_, mesh_), mesh_.loss_outputs_per_pe, type}, update, store};
  }

  StepRecord step(ReferenceTrainer& trainer, int number) const {
    const Batch data = make_batch(tokens_, static_cast<std::uint64_t>(number), batch, sequence);
    return trainer.step(data.inputs, data.targets);
  }

  static memoryx::UpdateSpec update(double clip) {
    memoryx::UpdateSpec spec;
    spec.optimizer.weight_decay = 0.1;
    spec.clip = clip;
    spec.loss_scale = memoryx::no_loss_scale();
    return spec;
  }

  // Ten steps in fp32 against a file of losses and gradient norms.
  void expect_golden(double clip, const char* file) const {
    const nlohmann::json golden = sim::read_json_file(folder_ / file);
    ReferenceTrainer reference = trainer(update(clip), sim::Dtype::f32);
    for (int s = 0; s < steps; ++s) {
      const StepRecord record = step(reference, s);
      const double loss = golden["loss"][s];
      const double norm = golden["gradient_norm"][s];
      EXPECT_NEAR(record.loss, loss, 1e-6 * loss) << "step " << s;
      EXPECT_NEAR(record.update.gradient_norm, norm, 1e-5 * norm) << "step " << s;
      EXPECT_FALSE(record.update.skipped);
    }
  }

  // Ten steps of less than fp32: the largest distance of a first gradient, and the last loss's from the golden one relative to it.
  void expect_near(ReferenceTrainer reference, double loss_scale, double gradients, double loss) const {
    double last = step(reference, 0).loss;
    const std::vector<float> golden = flat("step0_gradients.safetensors");
    double farthest = 0.0;
    for (const memoryx::ParameterEntry& entry : table_.entries())
      farthest = std::max(farthest, distance(reference.store().gradients(), golden, entry, loss_scale));
    EXPECT_LT(farthest, gradients);
    EXPECT_GT(farthest, 1e-5);
    for (int s = 1; s < steps; ++s) last = step(reference, s).loss;
    const nlohmann::json losses = sim::read_json_file(folder_ / "losses_clip.json");
    EXPECT_NEAR(last, losses["loss"][steps - 1].get<double>(), loss * last);
  }
};

TEST_P(Golden, LossesOfTenStepsWithClippingAgree) { expect_golden(1.0, "losses_clip.json"); }

TEST_P(Golden, LossesOfTenStepsWithoutClippingAgree) { expect_golden(0.0, "losses_noclip.json"); }

TEST_P(Golden, EveryGradientTensorOfTheFirstStepAgrees) {
  ReferenceTrainer reference = trainer(update(1.0), sim::Dtype::f32);
  step(reference, 0);
  const std::vector<float> golden = flat("step0_gradients.safetensors");
  for (const memoryx::ParameterEntry& entry : table_.entries())
    EXPECT_LT(distance(reference.store().gradients(), golden, entry, 1.0), 1e-5) << entry.name;
}

TEST_P(Golden, HalfPrecisionStaysNearAndRoundsSomewhere) {
  memoryx::UpdateSpec spec = update(1.0);
  spec.loss_scale = {1024.0, 2000, true};
  expect_near(trainer(spec, sim::Dtype::f16), 1024.0, 2e-2, 5e-3);
}

// Three bits of fraction less than fp16.
TEST_P(Golden, Bf16StaysNearAndRoundsSomewhere) { expect_near(trainer(update(1.0), sim::Dtype::bf16), 1.0, 8 * 2e-2, 8 * 5e-3); }

INSTANTIATE_TEST_SUITE_P(Families, Golden,
                         testing::Combine(testing::Values("gpt2", "gptj", "gpt_neox", "gpt_neox_serial", "llama"),
                                          testing::ValuesIn(meshes)),
                         [](const auto& test) {
                           std::string family = std::get<0>(test.param);
                           std::erase(family, '_');
                           return family + std::get<1>(test.param).name;
                         });

}  // namespace
}  // namespace wafersim::workloads::reference
