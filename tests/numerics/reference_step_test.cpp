// Properties of a whole reference step that need no golden value.

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string>

#include "sim/config/tree.h"
#include "sim/random.h"
#include "workloads/family.h"
#include "workloads/graph.h"
#include "workloads/hf_config.h"
#include "workloads/reference/reference_trainer.h"

namespace wafersim::workloads::reference {
namespace {

LoweringSpec small_spec(bool tied) {
  LoweringSpec spec;
  spec.shape = {19, 8, 12, 2, 2, 20, 1e-5, tied};
  spec.layout.lanes = 2;
  spec.layout.columns = 4;
  spec.layout.rows = 5;
  spec.layout.batch = 3;
  spec.layout.sequence = 7;
  spec.layout.heads = 2;
  spec.layout.columns_per_head = 2;
  spec.layout.samples_per_lane = 2;
  spec.layout.rows_per_sequence = 2;
  spec.layout.tokens_per_pe = 4;
  spec.loss_outputs_per_pe = 2;
  return spec;
}

std::vector<std::uint32_t> random_tokens(std::uint64_t stream) {
  std::vector<std::uint32_t> out;
  for (std::uint64_t k = 0; k < 21; ++k) out.push_back(static_cast<std::uint32_t>(sim::uniform_below(19, 1, stream, k)));
  return out;
}

StepValues step_of(const LoweringSpec& spec, const std::vector<float>& weights, double loss_scale = 1.0) {
  return run_step(spec, differentiate(build_model(spec.shape)), weights, random_tokens(1), random_tokens(2), loss_scale);
}

std::vector<float> initial_weights(const LoweringSpec& spec) {
  memoryx::ParameterStore store(parameter_table(spec.shape));
  store.initialise(9, 0.2);
  return store.weights();
}

TEST(ReferenceStep, AnUntiedModelWithEqualMatricesLosesTheSameAndSharesTheGradient) {
  const LoweringSpec tied = small_spec(true);
  const LoweringSpec untied = small_spec(false);
  std::vector<float> weights = initial_weights(tied);
  const StepValues a = step_of(tied, weights);
  weights.insert(weights.end(), weights.begin(), weights.begin() + 19 * 12);  // lm_head.weight, last in the table, = wte.weight
  const StepValues b = step_of(untied, weights);
  EXPECT_EQ(a.loss, b.loss);
  const std::size_t head = parameter_table(untied.shape)[parameter_table(untied.shape).find("lm_head.weight")].offset;
  for (std::size_t e = 0; e < 19 * 12; ++e) EXPECT_NEAR(a.gradients[e], b.gradients[e] + b.gradients[head + e], 1e-6) << e;
  for (std::size_t e = 19 * 12; e < head; ++e) ASSERT_EQ(a.gradients[e], b.gradients[e]) << e;
}

// transformers' models of these families start it at 0 and let only an unembedding that is tied to it train it (tests/DEVIATIONS.md).
TEST(ReferenceStep, TrainsTheTokenRowOfPaddingLikeAnyOther) {
  constexpr std::uint32_t padding = 3;
  for (const std::string family : {"bert", "opt", "llama"}) {
    const nlohmann::json config = {{"model_type", family},        {"vocab_size", 19},         {"hidden_size", 12},
                                   {"num_hidden_layers", 1},      {"num_attention_heads", 2}, {"pad_token_id", padding},
                                   {"tie_word_embeddings", false}};
    LoweringSpec spec = small_spec(false);
    spec.shape = parse_hf_config(sim::ConfigTree(config, "config.json", "/")).shape;
    const std::vector<float> weights = initial_weights(spec);
    std::vector<std::uint32_t> tokens = random_tokens(1);
    std::replace(tokens.begin(), tokens.end(), padding, padding + 1);
    const auto row = [&spec](const std::vector<float>& values) {
      const memoryx::ParameterTable table = parameter_table(spec.shape);
      const auto first = values.begin() + static_cast<std::ptrdiff_t>(table[table.find(family_form(spec.shape).token_rows)].offset);
      return std::vector<float>(first + 12 * padding, first + 12 * (padding + 1));
    };
    const auto gradient = [&] {
      return row(run_step(spec, differentiate(build_model(spec.shape)), weights, tokens, random_tokens(2), 1.0).gradients);
    };
    const std::vector<float> none(12);
    EXPECT_NE(row(weights), none) << family;
    EXPECT_EQ(gradient(), none) << family;  // not among the tokens
    tokens[0] = padding;
    EXPECT_NE(gradient(), none) << family;
  }
}

TEST(ReferenceStep, TheLossScaleMultipliesEveryGradientAndLeavesTheLoss) {
  const LoweringSpec spec = small_spec(true);
  const StepValues a = step_of(spec, initial_weights(spec), 1.0);
  const StepValues b = step_of(spec, initial_weights(spec), 4096.0);
  EXPECT_EQ(a.loss, b.loss);
  for (std::size_t e = 0; e < a.gradients.size(); ++e) ASSERT_EQ(4096.0f * a.gradients[e], b.gradients[e]) << e;
}

TEST(ReferenceStep, RowsOfUnusedPositionsGetNoGradientAndEveryTensorGetsSome) {
  const LoweringSpec spec = small_spec(true);
  const StepValues values = step_of(spec, initial_weights(spec));
  const memoryx::ParameterTable table = parameter_table(spec.shape);
  const auto& positions = table[table.find("wpe.weight")];
  for (std::size_t e = positions.offset + 7 * 12; e < positions.offset + positions.size; ++e) EXPECT_EQ(values.gradients[e], 0.0f);
  for (const memoryx::ParameterEntry& entry : table.entries()) {
    const auto* begin = values.gradients.data() + entry.offset;
    EXPECT_TRUE(std::any_of(begin, begin + entry.size, [](float g) { return g != 0.0f; })) << entry.name;
  }
}

TEST(ReferenceStep, LaterTokensDoNotChangeWhatEarlierOnesCompute) {
  const LoweringSpec spec = small_spec(true);
  const TrainingGraph graph = differentiate(build_model(spec.shape));
  const std::vector<float> weights = initial_weights(spec);
  std::vector<std::uint32_t> tokens = random_tokens(1);
  const StepValues a = run_step(spec, graph, weights, tokens, random_tokens(2), 1.0);
  for (std::size_t sample = 0; sample < 3; ++sample) tokens[sample * 7 + 6] = (tokens[sample * 7 + 6] + 1) % 19;
  const StepValues b = run_step(spec, graph, weights, tokens, random_tokens(2), 1.0);
  const auto last = std::find_if(graph.tensors.begin(), graph.tensors.end(), [](const Tensor& tensor) { return tensor.name == "ln_f"; });
  ASSERT_NE(last, graph.tensors.end());
  const auto number = static_cast<std::size_t>(last - graph.tensors.begin());
  int changed = 0;
  for (int lane = 0; lane < spec.layout.lanes; ++lane)
    for (int row = 0; row < spec.layout.rows; ++row)
      for (int slot = 0; slot < spec.layout.tokens_per_pe; ++slot) {
        const Layout::Token token = spec.layout.token(lane, row, slot);
        const float before = a.tensors[number].at(lane, row, 0)[slot];
        const float after = b.tensors[number].at(lane, row, 0)[slot];
        if (token.sample < 0) continue;
        if (token.position == 6) {
          changed += before != after;
        } else {
          EXPECT_EQ(before, after) << token.sample << " " << token.position;
        }
      }
  EXPECT_EQ(changed, 3);
}

TEST(ReferenceStep, HalfPrecisionTilesHoldOnlyHalfPrecisionValues) {
  LoweringSpec spec = small_spec(true);
  spec.type = sim::Dtype::f16;
  const StepValues values = step_of(spec, initial_weights(spec), 1024.0);
  const TrainingGraph graph = differentiate(build_model(spec.shape));
  for (std::size_t tensor = 0; tensor < graph.tensors.size(); ++tensor) {
    std::vector<float> rounded = values.tensors[tensor].values();
    round_to(sim::Dtype::f16, rounded.data(), rounded.size());
    const bool exact = rounded == values.tensors[tensor].values();
    EXPECT_EQ(exact, graph.tensors[tensor].features != Features::statistic) << graph.tensors[tensor].name;
  }
}

TEST(ReferenceTrainer, TheLossFallsOnABatchSeenAgainAndAgain) {
  const LoweringSpec spec = small_spec(true);
  memoryx::ParameterStore store(parameter_table(spec.shape));
  store.initialise(9);
  memoryx::UpdateSpec update;
  update.optimizer.lr = 1e-2;
  update.loss_scale = memoryx::no_loss_scale();
  ReferenceTrainer trainer(spec, update, store);
  const double first = trainer.step(random_tokens(1), random_tokens(2)).loss;
  double last = first;
  for (int step = 1; step < 30; ++step) last = trainer.step(random_tokens(1), random_tokens(2)).loss;
  EXPECT_NEAR(first, std::log(19.0), 0.05);
  EXPECT_LT(last, 0.5 * first);
}

TEST(ReferenceTrainer, AnOverflowInHalfPrecisionSkipsStepsUntilTheScaleFits) {
  LoweringSpec spec = small_spec(true);
  spec.type = sim::Dtype::f16;
  memoryx::ParameterStore store(parameter_table(spec.shape));
  store.initialise(9, 0.2);
  memoryx::UpdateSpec update;
  update.loss_scale.initial = 67108864.0;
  ReferenceTrainer trainer(spec, update, store);
  const StepRecord first = trainer.step(random_tokens(1), random_tokens(2));
  EXPECT_TRUE(first.update.skipped);
  EXPECT_EQ(trainer.store().weights(), store.weights());
  StepRecord record = first;
  for (int step = 0; step < 20 && record.update.skipped; ++step) record = trainer.step(random_tokens(1), random_tokens(2));
  EXPECT_FALSE(record.update.skipped);
  EXPECT_LT(record.update.loss_scale, first.update.loss_scale);
  EXPECT_EQ(record.loss, first.loss);
  EXPECT_NE(trainer.store().weights(), store.weights());
}

}  // namespace
}  // namespace wafersim::workloads::reference
