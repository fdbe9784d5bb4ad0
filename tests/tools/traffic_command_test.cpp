// The real program, as a user runs it: output, errors and exit codes of `wafersim` and `wafersim traffic`.

#include <cmath>
#include <cstdlib>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <sys/wait.h>

#include "tests/support/program.h"

namespace wafersim::tools {
namespace {

using tests::Outcome;
using tests::wafersim;

// Bad input: exit code 2, nothing on stdout, one line on stderr that says what is wrong.
void expect_refused(const std::string& arguments, const std::string& named) {
  const Outcome outcome = wafersim(arguments);
  EXPECT_EQ(outcome.exit_code, 2) << arguments;
  EXPECT_EQ(outcome.out, "") << arguments;
  EXPECT_EQ(outcome.err.rfind("wafersim: config error: ", 0), 0U) << arguments << ": " << outcome.err;
  EXPECT_NE(outcome.err.find(named), std::string::npos) << arguments << ": " << outcome.err;
  EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << arguments << ": " << outcome.err;
}

const std::string small = "traffic --mesh 8x6 --pattern uniform --load 0.05 --cycles 2000 ";

TEST(TrafficCommand, PrintsOneJsonObjectWithFiniteNumbers) {
  const Outcome outcome = wafersim(small + "--json --warmup 100 --seed 3");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  const nlohmann::json result = nlohmann::json::parse(outcome.out);
  for (const char* key :
       {"mean_latency_cycles", "p50_latency_cycles", "p95_latency_cycles", "p99_latency_cycles", "accepted_flits_per_node_cycle",
        "delivered", "mean_hops", "flit_hops", "host_seconds", "router_cycles_per_second", "flit_hops_per_second"}) {
    ASSERT_TRUE(result.contains(key)) << key;
    ASSERT_TRUE(result[key].is_number()) << key << " is " << result[key];  // NaN would be null
    EXPECT_GT(result[key].get<double>(), 0) << key;
  }
  EXPECT_EQ(result["mesh"], (nlohmann::json{8, 6}));
  EXPECT_EQ(result["seed"], 3);
  EXPECT_EQ(result["warmup"], 100);
  EXPECT_EQ(result["injected"], result["delivered"]);
  EXPECT_NEAR(result["mean_hops"].get<double>() * result["delivered"].get<double>(), result["flit_hops"].get<double>(), 1e-3);
  EXPECT_NEAR(result["flit_hops_per_second"].get<double>() * result["host_seconds"].get<double>() / result["flit_hops"].get<double>(), 1,
              1e-6);
}

TEST(TrafficCommand, PrintsATableWithTheSameNumbers) {
  const Outcome outcome = wafersim(small);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const nlohmann::json json = nlohmann::json::parse(wafersim(small + "--json").out);
  std::istringstream lines(outcome.out);
  std::string key;
  std::string value;
  std::size_t rows = 0;
  while (lines >> key >> value) {
    ASSERT_TRUE(json.contains(key)) << key;
    const bool of_the_host = key == "host_seconds" || key.find("_per_second") != std::string::npos;
    if (json[key].is_number() && !of_the_host) {
      EXPECT_NEAR(std::stod(value), json[key].get<double>(), 1e-5 * json[key].get<double>()) << key;
    }
    ++rows;
  }
  EXPECT_EQ(rows, json.size());
}

TEST(TrafficCommand, GivesTheSameResultsForTheSameSeed) {
  const auto simulated = [](const std::string& more) {
    nlohmann::json result = nlohmann::json::parse(wafersim(small + more + " --json").out);
    for (const char* key : {"host_seconds", "router_cycles_per_second", "flit_hops_per_second", "seed"}) result.erase(key);
    return result;
  };
  EXPECT_EQ(simulated("--seed 5"), simulated("--seed 5"));
  EXPECT_NE(simulated("--seed 5"), simulated("--seed 6"));
}

TEST(TrafficCommand, RunsEveryPattern) {
  for (const char* pattern : {"uniform", "transpose", "hotspot", "neighbour", "bit-complement"}) {
    const Outcome outcome = wafersim(std::string("traffic --mesh 6x6 --load 0.02 --cycles 500 --json --pattern ") + pattern);
    ASSERT_EQ(outcome.exit_code, 0) << pattern << ": " << outcome.err;
    EXPECT_EQ(nlohmann::json::parse(outcome.out)["pattern"], pattern);
  }
}

TEST(TrafficCommand, RefusesBadInputInOneLineThatNamesIt) {
  const std::string rest = " --pattern uniform --load 0.05 --cycles 100";
  for (const char* mesh : {"0x4", "4", "4x", "x4", "4x4x4", "-4x4", "4x5000", "a", "99999999999x1"}) {
    expect_refused(std::string("traffic --mesh ") + mesh + rest, std::string("--mesh '") + mesh + "'");
  }
  expect_refused("traffic --mesh 4000x4000" + rest, "4000 x 4000");
  expect_refused("traffic --mesh 1x1" + rest, "1 x 1");
  expect_refused("traffic --mesh 4x4 --pattern tornado --load 0.05 --cycles 100", "uniform, transpose, hotspot, neighbour, bit-complement");
  expect_refused("traffic --mesh 4x5 --pattern transpose --load 0.05 --cycles 100", "square");
  for (const char* load : {"0", "-0.1", "1.5", "nan", "inf", "many"}) {
    expect_refused(std::string("traffic --mesh 4x4 --pattern uniform --cycles 100 --load ") + load, "load");
  }
  for (const char* cycles : {"0", "-5", "1e3", "99999999999999999999"}) {
    expect_refused(std::string("traffic --mesh 4x4 --pattern uniform --load 0.05 --cycles ") + cycles, "cycles");
  }
  expect_refused(small + "--warmup -1", "warm-up");
  expect_refused(small + "--seed -1", "--seed");
  expect_refused(small + "--bogus", "--bogus");
  expect_refused("traffic --mesh 4x4 --pattern uniform --load 0.05", "--cycles");
}

TEST(TrafficCommand, SaysWhenStandardOutputCannotBeWritten) {
  const std::string command = std::string(WAFERSIM_PROGRAM) + " " + small + " >/dev/full 2>/dev/null";
  const int status = std::system(command.c_str());
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 6);
}

TEST(Program, PrintsHelpAndVersionOnStandardOutput) {
  for (const char* asked : {"--help", "traffic --help", "--version"}) {
    const Outcome outcome = wafersim(asked);
    EXPECT_EQ(outcome.exit_code, 0) << asked;
    EXPECT_EQ(outcome.err, "") << asked;
    EXPECT_NE(outcome.out, "") << asked;
  }
  EXPECT_NE(wafersim("--help").out.find("traffic"), std::string::npos);
  const std::string help = wafersim("traffic --help").out;
  for (const char* option : {"--mesh", "--pattern", "--load", "--cycles", "--warmup", "--seed", "--json"}) {
    EXPECT_NE(help.find(option), std::string::npos) << option;
  }
  EXPECT_EQ(wafersim("--version").out.rfind("wafersim ", 0), 0U);
}

TEST(Program, RefusesAMissingOrUnknownSubcommand) {
  expect_refused("", "subcommand");
  expect_refused("trafic", "trafic");
}

}  // namespace
}  // namespace wafersim::tools
