// `wafersim compare` as a user runs it, on runs, sweeps and goldens.

#include <filesystem>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/program.h"

namespace wafersim::tools {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

using tests::contents, tests::Outcome;

class CompareCommand : public testing::Test {
 protected:
  CompareCommand() {
    run("a", "");
    run("b", "--threads 2 --set seed=3");
  }

  Outcome wafersim(const std::string& arguments) const { return tests::wafersim(arguments, "cd " + folder_.path().string() + ";"); }
  void run(const std::string& out, const std::string& options) const {
    const Outcome outcome = wafersim("run " WAFERSIM_SOURCE_DIR "/tests/golden/runs/gpt2.json --set model.config.n_layer=1 " + options +
                                     " --fidelity wavelet --out " + out);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  }
  int compared(const std::string& arguments, std::string* out = nullptr) const {
    const Outcome outcome = wafersim("compare " + arguments);
    if (out != nullptr) *out = outcome.out + outcome.err;
    return outcome.exit_code;
  }

  tests::Folder folder_{"compare"};
};

TEST_F(CompareCommand, FindsRunsOfAnyNumberOfThreadsEqualAndAnotherSeedInTheNumbersAlone) {
  std::string out;
  EXPECT_EQ(compared("a b", &out), 0) << out;
  run("c", "--set seed=4");
  EXPECT_EQ(compared("a c --rows 1000", &out), 1);
  EXPECT_NE(out.find("config seed: 3 -> 4"), std::string::npos) << out;
  EXPECT_NE(out.find("digests.wte.weight "), std::string::npos) << out;
  EXPECT_EQ(compared("a c --ignore loss --ignore gradient_norm --ignore digests", &out), 0) << out;
}

TEST_F(CompareCommand, FindsASlowerHopAndKeepsToATolerance) {
  run("c", "--set fabric.hop_cycles=2");
  const Outcome outcome = wafersim("compare a c --json");
  EXPECT_EQ(outcome.exit_code, 1);
  const json found = json::parse(outcome.out);
  EXPECT_FALSE(found["equal"]);
  EXPECT_EQ(found["beyond"].get<std::size_t>() + found["within"].get<std::size_t>(), found["differences"].size());
  bool slower = false;
  for (const json& d : found["differences"]) slower = slower || (d["key"] == "step.cycles" && d["b"] > d["a"]);
  EXPECT_TRUE(slower);
  EXPECT_EQ(compared("a c --tolerance '*=1e-9'"), 1);
  std::string out;
  EXPECT_EQ(compared("a c --tolerance '*=inf' --tolerance step.seconds=0.5", &out), 0) << out;
  EXPECT_NE(out.find("0 beyond their tolerance, 1 moved within it"), std::string::npos) << out;
}

TEST_F(CompareCommand, SaysWhatMadeEachSide) {
  const auto made_by = [&](const std::string& sides) {
    const Outcome outcome = wafersim("compare " + sides + " --json");
    EXPECT_LE(outcome.exit_code, 1) << outcome.err;
    return json::parse(outcome.out)["provenance"];
  };
  const auto of_run = [&](const std::string& run) { return json::parse(contents(folder_ / run / "report.json"))["provenance"]; };
  run("c", "--set seed=4");
  EXPECT_EQ(made_by("a c"), (json{{"a", of_run("a")}, {"b", of_run("c")}}));
  EXPECT_NE(of_run("a"), of_run("c"));
  // A golden is the same on every host.
  ASSERT_EQ(wafersim("compare g.json a --update").exit_code, 0);
  json golden = of_run("a");
  golden.erase("host");
  EXPECT_EQ(made_by("g.json c"), (json{{"a", golden}, {"b", of_run("c")}}));
  // Of an older version that said nothing.
  json report = json::parse(contents(folder_ / "c/report.json"));
  report.erase("provenance");
  std::ofstream(folder_ / "c/report.json") << report;
  EXPECT_EQ(made_by("a c"), (json{{"a", of_run("a")}, {"b", nullptr}}));
}

TEST_F(CompareCommand, MakesAGoldenShowsWhatMovedAndMakesItAnew) {
  std::string out;
  EXPECT_EQ(compared("g.json a --update"), 0);
  EXPECT_LT(fs::file_size(folder_ / "g.json"), 8192u);
  EXPECT_EQ(compared("g.json b", &out), 0) << out;
  EXPECT_EQ(compared("b g.json", &out), 0) << out;
  run("c", "--set fabric.hop_cycles=2");
  const std::string before = contents(folder_ / "g.json");
  EXPECT_EQ(compared("g.json c"), 1);
  EXPECT_EQ(contents(folder_ / "g.json"), before);
  EXPECT_EQ(compared("g.json c --update", &out), 0);
  EXPECT_NE(out.find("step.cycles"), std::string::npos) << out;
  EXPECT_EQ(compared("g.json c"), 0);
}

TEST_F(CompareCommand, ComparesSweepsPointByPointWhateverTheirNumbersAre) {
  const auto point = [&](const std::string& file, int batch, const std::string& run) {
    fs::create_directories((folder_ / file).parent_path());
    const json result = run.empty() ? json{{"point", {{"training.batch", batch}}},
                                           {"status", "failed"},
                                           {"exit_code", 3},
                                           {"error", "x"},
                                           {"provenance", {{"host", ""}}}}
                                    : json{{"point", {{"training.batch", batch}}},
                                           {"status", "ok"},
                                           {"exit_code", 0},
                                           {"report", json::parse(contents(folder_ / run / "report.json"))},
                                           {"provenance", {{"host", run}}}};
    std::ofstream(folder_ / file) << result;
  };
  point("s/points/0.json", 4, "a");
  point("s/points/1.json", 8, "");
  point("t/points/0.json", 8, "");
  point("t/points/1.json", 4, "b");
  std::string out;
  EXPECT_EQ(compared("s t", &out), 0) << out;
  point("t/points/0.json", 8, "b");
  EXPECT_EQ(compared("s t", &out), 1);
  EXPECT_NE(out.find("training.batch=8  status"), std::string::npos) << out;
  EXPECT_EQ(out.find("training.batch=4"), std::string::npos) << out;
  const json origins = json::parse(wafersim("compare s t --json").out)["provenance"];
  EXPECT_EQ(origins["a"], (json{{"training.batch=4", {{"host", "a"}}}, {"training.batch=8", {{"host", ""}}}}));
  EXPECT_EQ(origins["b"], (json{{"training.batch=4", {{"host", "b"}}}, {"training.batch=8", {{"host", "b"}}}}));
  EXPECT_EQ(compared("s a"), 2);
  std::ofstream(folder_ / "t/points/2.json") << "{}";
  EXPECT_EQ(compared("s t", &out), 2);
  EXPECT_NE(out.find("2.json"), std::string::npos) << out;
}

TEST_F(CompareCommand, RefusesWhatIsNeitherRunNorSweepNorGolden) {
  fs::create_directory(folder_ / "empty");
  std::ofstream(folder_ / "x.json") << "{}";
  for (const char* other : {"nowhere", "empty", "x.json", "a/steps.csv"}) {
    std::string out;
    EXPECT_EQ(compared(std::string("a ") + other, &out), 2) << other;
    EXPECT_NE(out.find(other), std::string::npos) << out;
  }
  EXPECT_EQ(compared("a b --tolerance step.cylces=1"), 2);
  EXPECT_EQ(compared("a b --update"), 2);
  std::ofstream(folder_ / "b/report.json") << R"({"digests": {"w": 1, "w.grad": 2}})";
  ASSERT_EQ(compared("g.json a --update"), 0);
  EXPECT_EQ(compared("a b"), 1);
  EXPECT_EQ(compared("g.json b"), 2);
  std::ofstream(folder_ / "b/trace.json") << R"({"traceEvents": [{"ts": "x"}]})";
  EXPECT_EQ(compared("a b"), 2);
}

}  // namespace
}  // namespace wafersim::tools
