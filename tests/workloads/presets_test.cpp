#include "workloads/presets.h"

#include <cmath>
#include <gtest/gtest.h>
#include <map>

#include "sim/config/tree.h"
#include "sim/json_file.h"
#include "workloads/hf_config.h"
#include "workloads/run_spec.h"

namespace wafersim::workloads {
namespace {

std::size_t parameters(const Preset& model) {
  return parameter_table(parse_hf_config(sim::ConfigTree(sim::parse_json(model.text, model.name), model.name, {})).shape).size();
}

// What transformers counts in the published model.
TEST(Presets, ModelsOfTheHubHaveItsParametersToTheLast) {
  const std::map<std::string, std::size_t> published = {
      {"gpt2", 124439808},       {"gptj-6b", 6050882784},   {"gpt-neox-20b", 20554567680},
      {"llama2-7b", 6738415616}, {"llama3-8b", 8030261248}, {"bert-large", 335174458},
  };
  for (const auto& [name, count] : published) {
    const Preset* model = find_preset(model_presets(), name);
    ASSERT_NE(model, nullptr) << name;
    EXPECT_EQ(parameters(*model), count) << name;
  }
}

// Cerebras-GPT's are in its models' names, GPT-3's in its paper's table D.1, the trillion's in Megatron-LM's table, nanoGPT's is printed by
// it without positions and for 65 characters.
TEST(Presets, ModelsOfPapersHaveThePublishedParametersToTheirLastDigit) {
  struct Published {
    double millions, digit;
  };
  const std::map<std::string, Published> published = {
      {"cerebras-gpt-111m", {111, 1}},
      {"cerebras-gpt-256m", {256, 1}},
      {"cerebras-gpt-590m", {590, 1}},
      {"cerebras-gpt-1.3b", {1300, 100}},
      {"cerebras-gpt-2.7b", {2700, 100}},
      {"cerebras-gpt-6.7b", {6700, 100}},
      {"cerebras-gpt-13b", {13000, 1000}},
      {"gpt3-xl", {1320, 10}},
      {"gpt3-13b", {12850, 10}},
      {"gpt3-175b", {174600, 100}},
      {"1t", {1008000, 100}},
  };
  for (const auto& [name, count] : published) {
    const Preset* model = find_preset(model_presets(), name);
    ASSERT_NE(model, nullptr) << name;
    EXPECT_NEAR(static_cast<double>(parameters(*model)) / 1e6, count.millions, count.digit / 2) << name;
  }
  const std::size_t characters = 65, width = 128, positions = 64, biases_of_layer = 13 * width - 2 * width;
  const Preset* nanogpt = find_preset(model_presets(), "nanogpt-cpu");
  ASSERT_NE(nanogpt, nullptr);
  const std::size_t printed = parameters(*nanogpt) - (256 - characters + positions) * width - 4 * biases_of_layer - width;
  EXPECT_EQ(std::lround(static_cast<double>(printed) / 1e4), 80) << "0.80M";
}

TEST(Presets, EveryModelHasARunOnAWholeWafer) {
  for (const Preset& model : model_presets()) {
    if (model.name.starts_with("gpt2")) continue;  // of quickstart and tests
    bool found = false;
    for (const char* machine : {"cs2", "cs3"}) {
      const Preset* run = find_preset(run_presets(), model.name + "-" + machine);
      if (run == nullptr) continue;
      found = true;
      const RunSpec spec =
          read_run_spec(run->name, {sim::parse_override("numerics=on"), sim::parse_override("data.text=/proc/self/status")}, "/");
      EXPECT_EQ(spec.model_name, model.name);
      EXPECT_EQ(spec.machine.name, machine);
      EXPECT_EQ(spec.fidelity, Fidelity::sampled) << run->name;
    }
    EXPECT_TRUE(found) << model.name;
  }
}

}  // namespace
}  // namespace wafersim::workloads
