// The lower bound beside the time of a step, as `wafersim run` reports both: families, fidelities and what binds.

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/program.h"

namespace wafersim::tools {
namespace {

using nlohmann::json;

const std::vector<std::string> families = {"gpt2", "gptj", "gpt_neox", "llama", "opt", "bert"};

json model_of(const std::string& family) {
  json gpt2 = {{"model_type", family}, {"n_layer", 2}, {"n_embd", 16}, {"n_head", 2}, {"n_positions", 16}, {"vocab_size", 32}};
  if (family == "gptj") gpt2["rotary_dim"] = 4;
  if (family == "gpt2" || family == "gptj") return gpt2;
  json config = {{"model_type", family},     {"num_hidden_layers", 2},        {"hidden_size", 16},
                 {"num_attention_heads", 2}, {"max_position_embeddings", 16}, {"vocab_size", 32}};
  config[family == "opt" ? "ffn_dim" : "intermediate_size"] = 40;
  if (family == "opt") config["word_embed_proj_dim"] = 16;
  return config;
}

class StepBound : public testing::TestWithParam<std::string> {
 protected:
  // The report's step of four steps on 8 x 8 PEs.
  json step(const std::string& options) const {
    const json config = {{"machine", "cs2"},
                         {"machine_overrides", {{"fabric.width", 8}, {"fabric.height", 8}}},
                         {"model", {{"name", "tiny"}, {"config", model_of(GetParam())}}},
                         {"data", {{"text", "text.txt"}}},
                         {"training", {{"batch", 4}, {"sequence", 16}, {"steps", 4}}}};
    std::ofstream(folder_ / "tiny.json") << config;
    std::ofstream text(folder_ / "text.txt");
    for (int k = 0; k < 400; ++k) text << static_cast<char>((k * k + 3 * k) % 29);
    text.close();
    const tests::Outcome outcome =
        tests::wafersim("run tiny.json --out run --cache cache " + options, "cd " + folder_.path().string() + "; ");
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return json::parse(tests::contents(folder_ / "run/report.json"))["step"];
  }

  const tests::Folder folder_{"bound"};
};

TEST_P(StepBound, IsNotAboveTheTimeNorBelowWhatAnyResourceNeeds) {
  const char* options[] = {"",
                           "--set io.bandwidth=1e7",
                           "--set mapping.micro_batches=2 --set mapping.recompute=true",
                           "--fidelity sampled",
                           "--fidelity sampled --set memoryx.optimizer_rate=1e6",
                           "--set io.bandwidth=1e13 --set training.clip=0 --set dtype=fp32"};
  for (const std::string option : options) {
    const json reported = step(option);
    const double bound = reported["bound_cycles"], rounding = 1e-9 * bound;
    EXPECT_LE(bound, reported["cycles"].get<double>()) << option;
    const json& needs = reported["bound"];
    ASSERT_EQ(needs["forward"].size(), 5u);
    for (const auto& [resource, forward] : needs["forward"].items()) {
      EXPECT_GT(forward.get<double>() + needs["backward"][resource].get<double>(), 0) << resource;
      EXPECT_GE(bound + rounding, forward.get<double>() + needs["backward"][resource].get<double>()) << resource << " " << option;
    }
    EXPECT_GE(bound + rounding, needs["optimizer"].get<double>()) << option;
  }
}

// Causal attention leaves out half of the pairs that model flops count, so cores that do little else pass their peak by that count.
TEST(ModelFlops, MayPassThePeakWhereLongSequencesLeaveOutPairs) {
  const json config = {
      {"machine", "cs2"},
      {"machine_overrides", {{"fabric.width", 1}, {"fabric.height", 8}, {"sram.bytes", "1 MiB"}, {"core.issue_cycles", 0}}},
      {"model",
       {{"config",
         {{"model_type", "llama"},
          {"num_hidden_layers", 1},
          {"hidden_size", 64},
          {"num_attention_heads", 1},
          {"intermediate_size", 1},
          {"max_position_embeddings", 512},
          {"vocab_size", 32},
          {"tie_word_embeddings", true}}}}},
      {"training", {{"batch", 1}, {"sequence", 512}, {"steps", 2}}},
      {"mapping", {{"tokens_per_pe", 64}}},
      {"fidelity", "sampled"}};
  const tests::Folder folder("long");
  std::ofstream(folder.path() / "long.json") << config;
  const tests::Outcome outcome = tests::wafersim("run long.json --json --out run --cache cache", "cd " + folder.path().string() + "; ");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json report = json::parse(outcome.out);
  const double utilization = report["throughput"]["model_flops_utilization"];
  EXPECT_GT(utilization, 1);
  const double matrices = 32 * 64 + 4 * 64 * 64 + 3 * 64, tokens = report["throughput"]["tokens_per_second"];
  EXPECT_NEAR(utilization, (6 * matrices + 12.0 * 512 * 64) * tokens / (8 * 2 * 2 * report["mesh"]["clock_hz"].get<double>()), 1e-9);
}

INSTANTIATE_TEST_SUITE_P(Families, StepBound, testing::ValuesIn(families), [](const auto& test) { return test.param; });

}  // namespace
}  // namespace wafersim::tools
