// Every run that comes with the program for a whole wafer runs, one after the other in processes of their own.

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/program.h"
#include "workloads/presets.h"

namespace wafersim::tools {
namespace {

std::vector<std::string> whole_wafer_presets() {
  std::vector<std::string> names;
  for (const workloads::Preset& preset : workloads::run_presets())
    if (preset.name != "main") names.push_back(preset.name);
  return names;
}

class PresetRun : public testing::TestWithParam<std::string> {};

TEST_P(PresetRun, TakesAStepThatFitsTheMachine) {
  const tests::Folder folder("preset");
  const std::string out = (folder / "run").string();
  const tests::Outcome outcome = tests::wafersim("run " + GetParam() + " --steps 1 --cache none --json --out " + out);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const nlohmann::json report = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(report["fidelity"], "sampled");
  EXPECT_LE(report["step"]["bound_cycles"].get<double>(), report["step"]["cycles"].get<double>());
  EXPECT_LE(report["memory"]["sram_peak_bytes_per_pe"].get<double>(), report["memory"]["sram_bytes_per_pe"].get<double>());
  EXPECT_LE(report["memory"]["memoryx_bytes"].get<double>(), report["memory"]["memoryx_capacity_bytes"].get<double>());
  for (const nlohmann::json& sample : report["samples"]) EXPECT_LE(sample["residual"].get<double>(), 0.01) << sample["op"];
}

INSTANTIATE_TEST_SUITE_P(Shipped, PresetRun, testing::ValuesIn(whole_wafer_presets()), [](const auto& preset) {
  std::string name = preset.param;
  for (char& c : name)
    if (c == '-' || c == '.') c = '_';
  return name;
});

}  // namespace
}  // namespace wafersim::tools
