// A run's written configuration runs again to the same bytes.

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/program.h"
#include "tests/support/run_results.h"

namespace wafersim::tools {
namespace {

using tests::contents, tests::Outcome, tests::wafersim;

struct Kind {
  const char* name;
  const char* arguments;
  bool preset = false;  // else the configuration is one of tests/golden/runs
};
void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

class WrittenConfig : public testing::TestWithParam<Kind> {};

TEST_P(WrittenConfig, RunsAgainToTheSameBytesOfEveryFile) {
  const tests::Folder folder("written");
  const std::string file = folder / "effective.json", rest = " --cache " + (folder / "cache").string() + " --out ";
  const std::string config = (GetParam().preset ? "" : WAFERSIM_SOURCE_DIR "/tests/golden/runs/") + std::string(GetParam().arguments);
  const Outcome first = wafersim("run " + config + rest + (folder / "first").string() + " --output-config " + file);
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_EQ(contents(file), contents(folder / "first/config.json"));
  const Outcome again = wafersim("run " + file + rest + (folder / "again").string());
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(contents(folder / "again/config.json"), contents(file));
  const auto before = tests::run_results(folder / "first"), after = tests::run_results(folder / "again");
  EXPECT_GE(before.size(), 5U);
  EXPECT_EQ(before.size(), after.size());
  for (const auto& [name, bytes] : before) {
    ASSERT_TRUE(after.contains(name)) << name;
    EXPECT_TRUE(bytes == after.at(name)) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, WrittenConfig,
                         testing::Values(Kind{"wavelets", "gpt2.json --set model.config.resid_pdrop=0.1"},
                                         Kind{"sampled", "gptj.json --fidelity sampled --set machine=cs3"},
                                         Kind{"systems", "llama.json --set systems=2 --set swarmx.fanout=2 --steps 1"},
                                         Kind{"preset",
                                              "main --fidelity sampled --steps 2 --set core.clock=1.1GHz --set fabric.width=8 "
                                              "--set io.bandwidth='7 GB/s' --set mapping.recompute=[0] --set seed=9",
                                              true}),
                         [](const auto& kind) { return kind.param.name; });

TEST(OutputConfig, IsThatOfAPlanWhichSimulatesNothing) {
  const tests::Folder folder("planned");
  const std::string file = folder / "effective.json";
  const Outcome plan = wafersim("plan main --set seed=5 --json --output-config " + file);
  ASSERT_EQ(plan.exit_code, 0) << plan.err;
  EXPECT_EQ(nlohmann::json::parse(contents(file))["seed"], 5);
  EXPECT_EQ(wafersim("plan " + file + " --json").out, plan.out);
}

TEST(OutputConfig, ThatHasNoPlaceIsBadInput) {
  const Outcome outcome = wafersim("run main --output-config /nowhere/effective.json --out /tmp/unused");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("/nowhere/effective.json"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace wafersim::tools
