// `wafersim run` with fidelity = sampled, as a user runs it: its numbers are those of the wavelets, its times nearly; what it reports,
// keeps and refuses.

#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/program.h"

namespace wafersim::tools {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

using tests::contents, tests::Outcome;

class SampledRun : public testing::Test {
 protected:
  SampledRun() {
    std::ofstream tokens(folder_ / "tokens.bin", std::ios::binary);
    for (int k = 0; k < 400; ++k) {
      const std::uint16_t token = static_cast<std::uint16_t>((k * k + 3 * k) % 29);
      tokens.write(reinterpret_cast<const char*>(&token), sizeof token);
    }
    const json config = {{"machine", "cs2"},
                         {"machine_overrides", {{"fabric.width", 8}, {"fabric.height", 8}}},
                         {"model",
                          {{"name", "tiny"},
                           {"config",
                            {{"model_type", "gpt2"},
                             {"n_layer", 2},
                             {"n_embd", 16},
                             {"n_head", 2},
                             {"n_positions", 16},
                             {"vocab_size", 32},
                             {"initializer_range", 0.1}}}}},
                         {"data", {{"tokens", "tokens.bin"}}},
                         {"training", {{"batch", 4}, {"sequence", 16}, {"steps", 4}, {"clip", 1.0}}},
                         {"seed", 3}};
    std::ofstream(folder_ / "tiny.json") << config;
    json without = config;
    without.erase("data");
    without["fidelity"] = "sampled";
    std::ofstream(folder_ / "times.json") << without;
  }

  Outcome wafersim(const std::string& arguments) const {
    return tests::wafersim(arguments + " --cache cache", "cd " + folder_.path().string() + "; ");
  }
  json run(const std::string& arguments, const std::string& out) const {
    const Outcome outcome = wafersim("run " + arguments + " --out " + out);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return json::parse(contents(folder_ / out / "report.json"));
  }
  static double cycles(const json& report) { return report["step"]["cycles"].get<double>(); }

  tests::Folder folder_{"sampled_run"};
};

TEST_F(SampledRun, HasTheNumbersOfTheWaveletsInEveryBitAndNearlyTheirTimes) {
  const json wavelet = run("tiny.json", "wavelet"), sampled = run("tiny.json --fidelity sampled", "sampled");
  EXPECT_EQ(sampled["loss"], wavelet["loss"]);
  EXPECT_EQ(sampled["digests"], wavelet["digests"]);
  EXPECT_EQ(sampled["macs"], wavelet["macs"]);
  EXPECT_NEAR(cycles(sampled), cycles(wavelet), 0.02 * cycles(wavelet));
  for (const char* way : {"in", "out"})
    EXPECT_NEAR(sampled["links"][way]["words"].get<double>(), wavelet["links"][way]["words"].get<double>(),
                0.02 * wavelet["links"][way]["words"].get<double>())
        << way;
  for (const char* work : {"busy", "reduce"})
    EXPECT_NEAR(sampled["activity"][work].get<double>(), wavelet["activity"][work].get<double>(), 0.02) << work;
}

TEST_F(SampledRun, GivesEveryCycleToARow) {
  const json report = run("tiny.json --fidelity sampled", "run");
  double cycles_of_rows = 0, pe_cycles = 0, shares = 0;
  for (const json& row : report["breakdown"]) {
    cycles_of_rows += row["cycles"].get<double>();
    pe_cycles += row["busy"].get<double>() + row["idle"].get<double>();
    for (const json& stall : row["stalls"]) pe_cycles += stall.get<double>();
    double waits = 0;
    for (const json& wait : row["waits"]) waits += wait.get<double>();
    EXPECT_LE(waits, row["cycles"].get<double>() + 1) << row;
  }
  for (const auto& [what, share] : report["activity"].items()) shares += what == "reduce" ? 0 : share.get<double>();  // it is part of busy
  EXPECT_NEAR(cycles_of_rows, cycles(report), 1e-6 * cycles(report));
  const double pes = report["mesh"]["width"].get<double>() * report["mesh"]["height"].get<double>();
  EXPECT_NEAR(pe_cycles, cycles(report) * pes, 1e-6 * pe_cycles);
  EXPECT_NEAR(shares, 1, 1e-9);
  EXPECT_FALSE(fs::exists(folder_ / "run/heatmap.csv"));
}

TEST_F(SampledRun, SaysInItsTableWhatEachKernelStreamsAndWaitsFor) {
  const json report = run("tiny.json --fidelity sampled --set io.bandwidth=\"100 kB/s\"", "run");
  const json& embedding = report["breakdown"][0];
  ASSERT_EQ(embedding["kernel"], "embedding");
  std::ifstream file(folder_ / "run/report.txt");
  std::string line;
  while (std::getline(file, line) && !line.starts_with("         embedding forward")) continue;
  const double cycles = embedding["cycles"];
  EXPECT_NE(line.find(fmt::format(" {:.1f} %", 100 * embedding["bound"]["weight_stream"].get<double>() / cycles)), std::string::npos)
      << line;
  EXPECT_NE(line.find(fmt::format("weight_link {:.1f} %", 100 * embedding["waits"]["weight_link"].get<double>() / cycles)),
            std::string::npos)
      << line;
  EXPECT_GT(embedding["waits"]["weight_link"].get<double>(), 0.5 * cycles);
}

TEST_F(SampledRun, TakesTheSameTimeWithoutNumbers) {
  const json with = run("tiny.json --fidelity sampled --steps 6", "with"), without = run("times.json --steps 6", "without");
  EXPECT_EQ(without["numerics"], "off");
  EXPECT_EQ(without["loss"], json::array());
  EXPECT_FALSE(without.contains("digests"));
  EXPECT_NEAR(cycles(without), cycles(with), 1);  // rounded step by step, and once
  ASSERT_EQ(without["breakdown"].size(), with["breakdown"].size());
  for (std::size_t row = 0; row < with["breakdown"].size(); ++row)
    EXPECT_NEAR(without["breakdown"][row]["cycles"].get<double>(), with["breakdown"][row]["cycles"].get<double>(), 1) << row;
  std::ifstream steps(folder_ / "without/steps.csv");
  int lines = 0;
  for (std::string line; std::getline(steps, line);) ++lines;
  EXPECT_EQ(lines, 7);
}

// From the start of a step to that of the next: the updates of the last one, which no step hides, are apart.
TEST_F(SampledRun, AStepTakesAsLongWhetherTheRunEndsWithItOrNot) {
  const std::string slow = "times.json --set memoryx.optimizer_rate=1e6 --steps ";
  const json two = run(slow + "2", "two"), six = run(slow + "6", "six"), one = run(slow + "1", "one");
  EXPECT_NEAR(cycles(two), cycles(six), 1);
  EXPECT_GT(two["step"]["last_update_cycles"].get<double>(), 0.5 * cycles(two));
  EXPECT_LT(cycles(one), 0.5 * cycles(two));  // a run's first step waits for no update
  std::ifstream steps(folder_ / "two/steps.csv");
  double all = 0;
  for (std::string line; std::getline(steps, line);)
    if (line.starts_with("0,") || line.starts_with("1,"))
      all += std::stod(line.substr(line.find_last_of(',', line.find_last_of(',') - 1) + 1));
  EXPECT_NEAR(all, cycles(one) + cycles(two) + two["step"]["last_update_cycles"].get<double>(), 2);
}

TEST_F(SampledRun, ReadsItsSamplesFromTheCacheAndIgnoresAndRewritesWhatIsCorrupt) {
  const json first = run("times.json", "first");
  EXPECT_GT(first["host"]["kernels_sampled"], 10);
  json second = run("times.json", "second");
  EXPECT_EQ(second["host"]["kernels_sampled"], 0);
  EXPECT_EQ(second["step"], first["step"]);
  std::map<fs::path, std::string> kept;
  for (const auto& entry : fs::directory_iterator(folder_ / "cache")) kept[entry.path()] = contents(entry.path());
  for (const auto& [path, text] : kept) std::ofstream(path) << text.substr(0, text.size() / 2);
  const json third = run("times.json", "third");
  EXPECT_EQ(third["host"]["kernels_sampled"], first["host"]["kernels_sampled"]);
  EXPECT_EQ(third["step"], first["step"]);
  for (const auto& [path, text] : kept) EXPECT_EQ(contents(path), text) << path;
}

TEST_F(SampledRun, SystemsShareTheBatch) {
  const json one = run("times.json --set training.batch=2", "one"), two = run("times.json --set systems=2", "two");
  EXPECT_EQ(two["systems"], 2);
  EXPECT_EQ(two["mapping"], one["mapping"]);
  EXPECT_GT(cycles(two), cycles(one));  // the way through SwarmX
  EXPECT_GT(two["throughput"]["tokens_per_second"], one["throughput"]["tokens_per_second"]);
}

TEST_F(SampledRun, SystemsHaveTheNumbersOfTheirWaveletsInEveryBitAndNearlyTheirTimes) {
  const std::string systems = "tiny.json --set systems=3 --set swarmx.fanout=2 --set training.batch=6 --set mapping.micro_batches=2";
  const json wavelet = run(systems, "wavelet"), sampled = run(systems + " --fidelity sampled", "sampled");
  const json one = run("tiny.json --fidelity sampled --set training.batch=6", "one");
  EXPECT_EQ(wavelet["systems"], 3);
  EXPECT_EQ(sampled["loss"], wavelet["loss"]);
  EXPECT_EQ(sampled["digests"], wavelet["digests"]);
  EXPECT_NE(sampled["digests"], one["digests"]);  // another order of sums
  EXPECT_NEAR(sampled["loss"].back().get<double>(), one["loss"].back().get<double>(), 0.01);
  EXPECT_EQ(sampled["macs"], wavelet["macs"]);
  EXPECT_NEAR(cycles(sampled), cycles(wavelet), 0.02 * cycles(wavelet));
}

// Kernels of a thousand cycles: the way through the tree takes several of them, and its nodes' rooms fill.
TEST_F(SampledRun, SystemsBehindAnyTreeTakeNearlyWhatWaveletsTake) {
  for (const char* tree : {"--set systems=3 --set training.batch=3", "--set systems=7 --set swarmx.fanout=2 --set training.batch=7",
                           "--set systems=3 --set training.batch=3 --set swarmx.fanout=2 --set swarmx.latency=\"20 us\"",
                           "--set systems=3 --set training.batch=3 --set swarmx.fanout=2 --set swarmx.bandwidth=\"1 GB/s\""}) {
    const std::string systems = std::string("tiny.json --steps 3 ") + tree;
    const double wavelet = cycles(run(systems, "wavelet")), sampled = cycles(run(systems + " --fidelity sampled", "sampled"));
    EXPECT_NEAR(sampled, wavelet, 0.02 * wavelet) << tree;
  }
}

TEST_F(SampledRun, AStepTooLongToBeCountedIsRefused) {
  for (const std::string slow : {"io.bandwidth=1", "memoryx.bandwidth=1"}) {
    const Outcome outcome = wafersim("run times.json --set core.clock=\"100 GHz\" --out slow --set " + slow);
    EXPECT_EQ(outcome.exit_code, 3) << outcome.err;
    EXPECT_NE(outcome.err.find("more than can be counted"), std::string::npos) << outcome.err;
    EXPECT_FALSE(fs::exists(folder_ / "slow"));
  }
}

TEST_F(SampledRun, ALargerStoreThanMemoryXIsRefused) {
  const Outcome outcome = wafersim("run times.json --set memoryx.capacity=1e4");
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_NE(outcome.err.find("memoryx.capacity = 10000 bytes"), std::string::npos) << outcome.err;
  EXPECT_EQ(wafersim("run times.json --set memoryx.bandwidth=0").exit_code, 2);
  EXPECT_EQ(wafersim("run times.json --set io.wafer_bandwidth=-1").exit_code, 2);
}

}  // namespace
}  // namespace wafersim::tools
