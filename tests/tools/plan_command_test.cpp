// `wafersim plan` and `wafersim presets` as a user runs them.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <sys/wait.h>

#include "models/machine_config.h"
#include "models/machine_sources.h"
#include "tests/support/program.h"

namespace wafersim::tools {
namespace {

using tests::Outcome;
using tests::wafersim;

nlohmann::json json_of(const std::string& arguments) {
  const Outcome outcome = wafersim(arguments + " --json");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  return nlohmann::json::parse(outcome.out);
}

// Nothing on stdout, one line on stderr of this category that contains `named`.
void expect_refused(const std::string& arguments, int exit_code, const std::string& category, const std::string& named) {
  const Outcome outcome = wafersim(arguments);
  EXPECT_EQ(outcome.exit_code, exit_code) << arguments;
  EXPECT_EQ(outcome.out, "") << arguments;
  EXPECT_EQ(outcome.err.rfind("wafersim: " + category + " error: ", 0), 0U) << outcome.err;
  EXPECT_NE(outcome.err.find(named), std::string::npos) << outcome.err;
  EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
}

TEST(PlanCommand, PrintsTheMainJobAsJson) {
  const nlohmann::json plan = json_of("plan main");
  EXPECT_EQ(plan["parameters"], 120576);
  EXPECT_EQ(plan["rectangle"], (nlohmann::json{{"width", 16}, {"height", 16}}));
  EXPECT_EQ(plan["mapping"]["rejected"].size(), 5U);
  EXPECT_LE(plan["sram"]["peak_bytes"].get<int>(), plan["sram"]["bytes"].get<int>());
  int furthest = 0;
  for (const nlohmann::json& region : plan["sram"]["regions"])
    furthest = std::max(furthest, region["address"].get<int>() + region["bytes"].get<int>());
  EXPECT_EQ(furthest, plan["sram"]["peak_bytes"].get<int>());
  std::uint64_t in = 0, out = 0;
  double closed_forms = 0;
  for (const nlohmann::json& call : plan["calls"]) {
    in += call["words_in"].get<std::uint64_t>();
    out += call["words_out"].get<std::uint64_t>();
    closed_forms += call["closed_form_cycles"].get<double>();
  }
  EXPECT_EQ(plan["traffic"]["bytes_in"], 4 * in);
  EXPECT_EQ(plan["traffic"]["bytes_out"], 4 * out);
  EXPECT_DOUBLE_EQ(plan["closed_form_cycles"].get<double>(), closed_forms);
  EXPECT_EQ(plan["bound"]["by"], "gradient_stream");
  EXPECT_LT(plan["bound"]["cycles"].get<double>(), plan["mapping"]["estimated_cycles"].get<double>());
}

TEST(PlanCommand, PrintsTablesWithTheSameNumbers) {
  const Outcome outcome = wafersim("plan main");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const nlohmann::json plan = json_of("plan main");
  for (const char* heading : {"mapping: ", "padding: ", "rejected", "SRAM of a PE: ", "closed form", "traffic of a step: ", "bound: "})
    EXPECT_NE(outcome.out.find(heading), std::string::npos) << heading;
  EXPECT_NE(outcome.out.find(plan["traffic"]["bytes_out"].dump() + " bytes out"), std::string::npos);
  EXPECT_NE(outcome.out.find(plan["sram"]["peak_bytes"].dump() + " of 49152 bytes"), std::string::npos);
}

TEST(PlanCommand, ListsEveryArrayAndCallWhereTheFullListIsAskedFor) {
  const std::string full = wafersim("plan main --full").out;
  const nlohmann::json plan = json_of("plan main");
  for (const nlohmann::json& region : plan["sram"]["regions"])
    EXPECT_NE(full.find("  " + region["name"].get<std::string>() + "\n"), std::string::npos) << region;
  const auto lines = static_cast<std::size_t>(std::count(full.begin(), full.end(), '\n'));
  EXPECT_GT(lines, plan["sram"]["regions"].size() + plan["calls"].size());
}

TEST(PlanCommand, PutsWhatIsAlikeInLayersInOneLine) {
  const std::string text = wafersim("plan gptj-6b-cs2").out;
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 90);
  const nlohmann::json plan = json_of("plan gptj-6b-cs2");
  int residuals = 0, end = 0;
  for (const nlohmann::json& region : plan["sram"]["regions"]) {
    if (!region["at_peak"].get<bool>()) continue;
    end = std::max(end, region["address"].get<int>() + region["bytes"].get<int>());
    if (region["name"].get<std::string>().ends_with(".residual_2")) residuals += region["bytes"].get<int>();
  }
  EXPECT_EQ(end, plan["sram"]["peak_bytes"].get<int>());
  const std::size_t line = text.find("transformer.h.*.residual_2\n"), start = text.rfind('\n', line);
  ASSERT_NE(line, std::string::npos);
  EXPECT_EQ(std::stoi(text.substr(start)), residuals);  // inputs of 28 layers
  EXPECT_GT(residuals, end / 4);
}

TEST(PlanCommand, FollowsOverridesBeforeAndAfterTheConfiguration) {
  EXPECT_EQ(json_of("plan main --set mapping.lanes=2")["mapping"]["lanes"], 2);
  const nlohmann::json plan = json_of("plan --set mapping.lanes=2 --set mapping.tokens_per_pe=5 main");
  EXPECT_EQ(plan["mapping"]["lanes"], 2);
  EXPECT_EQ(plan["mapping"]["tokens_per_pe"], 5);
  EXPECT_GT(plan["mapping"]["padding"]["token_slots"].get<double>(), 0);
}

TEST(PlanCommand, RefusesBadInputInOneLine) {
  expect_refused("plan", 2, "config", "CONFIG");
  expect_refused("plan nowhere.json", 2, "config", "nowhere.json");
  expect_refused("plan main --set mapping.lanes", 2, "config", "KEY=VALUE");
  expect_refused("plan main --set mapping.lane=2", 2, "config", "mapping.lanes");
  expect_refused("plan main --set mapping.features_per_pe=9", 2, "config", "--set mapping.features_per_pe=9: ");
  expect_refused("plan main --set sram.bytes=4096", 3, "plan", "SRAM overflow");
  expect_refused("plan main --set mapping.lanes=64 --set training.batch=64", 3, "plan", "would fit");
  expect_refused("plan main --set fidelity=bound", 2, "unsupported", "fidelity");
}

TEST(PlanCommand, PrintsTheLargestBatchAndTheLongestSequence) {
  const nlohmann::json largest = json_of("plan main --largest");
  EXPECT_EQ(largest["sequence"]["by"], "positions");
  EXPECT_EQ(largest["sequence"]["tokens"], 64);
  EXPECT_GT(largest["sequence"]["sram_tokens"], 64);
  const std::string batch = largest["batch"]["samples"].dump();
  EXPECT_NE(wafersim("plan main --largest").out.find("largest batch: " + batch + " samples of 32 tokens"), std::string::npos);
  EXPECT_EQ(wafersim("plan main --set mapping.micro_batches=1 --set training.batch=" + batch).exit_code, 0);
  EXPECT_TRUE(json_of("plan main --largest --set sram.bytes=4096")["batch"].is_null());
}

TEST(PlanCommand, FindsTheLargestOfTheLargestAndTheSmallestMachines) {
  const std::string mesh = " --set fabric.width=4096 --set fabric.height=4096";
  const nlohmann::json many =
      json_of("plan main --largest --set systems=2048 --set training.batch=2048 --set training.sequence=1" + mesh)["batch"];
  EXPECT_EQ(many["samples"], std::int64_t{2048} * 1024 * 4096);  // lanes of 4 columns
  EXPECT_EQ(many["configurable"], 1 << 20);
  const std::string most = " --set systems=2048 --set training.sequence=1 --set training.batch=";
  EXPECT_NE(wafersim("plan main --largest" + most + "2048" + mesh).out.find("a step has at most 1048576 (training.batch)"),
            std::string::npos);
  expect_refused("plan main" + most + "1048577", 2, "config", "training.batch=1048577");
  const nlohmann::json none = json_of(
      "plan main --largest --set model.config.n_layer=4096 --set model.config.n_embd=1048576 --set model.config.n_head=1 --set "
      "fabric.width=2 --set fabric.height=2");
  EXPECT_TRUE(none["batch"].is_null() && none["sequence"].is_null());
}

TEST(PlanCommand, RefusesAModelThatExceedsMemoryX) {
  expect_refused("plan main --set memoryx.capacity=1000", 3, "plan", "memoryx.capacity = 1000 bytes");
}

TEST(PlanCommand, SaysWhenStandardOutputCannotBeWritten) {
  const int status = std::system((std::string(WAFERSIM_PROGRAM) + " plan main >/dev/full 2>/dev/null").c_str());
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 6);
}

TEST(PresetsCommand, ListsRunsModelsAndMachinesWithADescription) {
  const nlohmann::json list = json_of("presets");
  const std::string text = wafersim("presets").out;
  std::string kinds;
  for (const nlohmann::json& entry : list) {
    EXPECT_NE(entry["about"], "") << entry;
    EXPECT_NE(text.find(entry["about"].get<std::string>()), std::string::npos) << entry;
    kinds += entry["kind"].get<std::string>() + ":" + entry["name"].get<std::string>() + " ";
  }
  for (const char* known : {"run:main ", "model:gpt2 ", "model:gpt2-bytes ", "machine:cs1 ", "machine:cs2 ", "machine:cs3 "})
    EXPECT_NE(kinds.find(known), std::string::npos) << known << " in " << kinds;
}

TEST(PresetsCommand, PrintsOnePresetAsJson) {
  EXPECT_EQ(nlohmann::json::parse(wafersim("presets main").out)["machine"], "cs2");
  EXPECT_EQ(nlohmann::json::parse(wafersim("presets gpt2").out)["n_embd"], 768);
  EXPECT_EQ(json_of("presets cs3")["fabric"]["width"], 762);
}

TEST(PresetsCommand, PrintsEveryNumberOfAMachineWithItsUnitAndItsSourceOrA) {
  for (const std::string& name : models::machine_names()) {
    const std::string text = wafersim("presets " + name).out;
    const std::vector<models::MachineField> fields = models::machine_fields(models::machine_preset(name));
    std::istringstream lines(text.substr(text.find('\n') + 1));
    std::string line;
    std::size_t i = 0;
    for (; std::getline(lines, line); ++i) {
      const models::MachineField& field = fields.at(i);
      EXPECT_TRUE(line.starts_with(field.key + " ")) << line;
      EXPECT_NE(line.find(" " + field.readable + " "), std::string::npos) << line;
      EXPECT_TRUE(line.ends_with((field.assumed ? " [A] " : "  ") + field.text)) << line;
    }
    EXPECT_EQ(i, fields.size());
  }
}

TEST(PresetsCommand, TheJsonOfAMachineIsItsConfiguration) {
  for (const std::string& name : models::machine_names())
    EXPECT_EQ(json_of("presets " + name), nlohmann::json(models::machine_to_json(models::machine_preset(name))));
}

TEST(PresetsCommand, RefusesAnUnknownNameWithTheKnownOnes) { expect_refused("presets gpt3", 2, "config", "gpt2-bytes"); }

}  // namespace
}  // namespace wafersim::tools
