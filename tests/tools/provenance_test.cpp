// Every result says what made it.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <regex>
#include <span>
#include <sstream>
#include <string>

#include "sim/sha256.h"
#include "tests/support/program.h"

namespace wafersim::tools {
namespace {

using nlohmann::json;
using tests::contents, tests::wafersim;

const std::string small = std::string(WAFERSIM_SOURCE_DIR) + "/tests/golden/runs/gpt2.json --cache none ";

json json_of(const std::string& text) { return json::parse(text, nullptr, false); }

// As a shell would take it: sed -e '/^  "version"/d' -e '/^  "threads"/d' config.json | sha256sum
std::string digest_of_config(const std::string& text) {
  std::istringstream lines(text);
  std::string kept;
  for (std::string line; std::getline(lines, line);)
    if (line.rfind("  \"version\"", 0) != 0 && line.rfind("  \"threads\"", 0) != 0) kept += line + "\n";
  return sim::sha256_hex(std::as_bytes(std::span(kept)));
}

TEST(Provenance, IsTheSameObjectInEveryResultOfAConfiguration) {
  const tests::Folder folder("provenance");
  const std::string run = folder / "run", golden = folder / "run.golden.json", version = wafersim("--version").out;
  const tests::Outcome outcome = wafersim("run " + small + "--set seed=7 --checkpoint-every 1 --json --out " + run);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json report = json_of(outcome.out), made = report["provenance"], config = json_of(contents(folder / "run/config.json"));
  EXPECT_EQ(version, "wafersim " + made["version"].get<std::string>() + "\n");
  EXPECT_TRUE(std::regex_match(made["version"].get<std::string>(), std::regex(R"(\d+\.\d+\.\d+\+([0-9a-f]{12}(\.changed)?|unknown))")))
      << made;
  EXPECT_EQ(made["config_digest"], digest_of_config(contents(folder / "run/config.json")));
  EXPECT_EQ(made["seed"], 7);
  EXPECT_NE(made["host"], "");
  EXPECT_EQ(report["version"], made["version"]);
  EXPECT_EQ(config["version"], made["version"]);
  EXPECT_EQ(report["host"]["command"][1], "run");
  const std::string text = contents(folder / "run/report.txt"), digest = made["config_digest"];
  EXPECT_NE(text.find("made by      " + version.substr(0, version.size() - 1) + ", configuration " + digest.substr(0, 12) + ", seed 7\n"),
            std::string::npos)
      << text;

  EXPECT_EQ(json_of(wafersim("plan " + run + "/config.json --json").out)["provenance"], made);
  EXPECT_EQ(json_of(wafersim("plan " + run + "/config.json --largest --json").out)["provenance"], made);

  ASSERT_EQ(wafersim("compare " + golden + " " + run + " --update").exit_code, 0);
  json without_host = made;
  without_host.erase("host");
  EXPECT_EQ(json_of(contents(golden))["provenance"], without_host);

  // A run that is stopped once it has a checkpoint.
  const std::string stopped = folder / "stopped", there = stopped + "/checkpoint.bin";
  EXPECT_EQ(wafersim("run " + small + "--set training.steps=20000 --checkpoint-every 1 --out " + stopped,
                     "(for k in $(seq 2000); do [ -e " + there + " ] && break; sleep 0.02; done; kill -TERM $$) &")
                .exit_code,
            143);
  const std::string checkpoint = contents(there);
  const json header = json_of(checkpoint.substr(0, checkpoint.find('\n')));
  ASSERT_TRUE(header.contains("provenance")) << header;
  const json plan = json_of(wafersim("plan " + small.substr(0, small.find(' ')) + " --set training.steps=20000 --json").out);
  EXPECT_EQ(header["provenance"], plan["provenance"]);
}

TEST(Provenance, TellsConfigurationsApartButNotNumbersOfThreads) {
  const auto digest = [](const std::string& more) {
    return json_of(wafersim("plan main --json" + more).out)["provenance"]["config_digest"].get<std::string>();
  };
  const std::string main = digest("");
  EXPECT_EQ(digest(" --set threads=2"), main);
  EXPECT_EQ(digest(" --set core.clock=850MHz"), main);  // what it is anyway
  EXPECT_NE(digest(" --set core.clock=851MHz"), main);
  EXPECT_NE(digest(" --set seed=2"), main);
}

TEST(Provenance, OfTrafficNamesItsParameters) {
  const auto made = [](const std::string& more) {
    return json_of(wafersim("traffic --mesh 4x4 --pattern uniform --load 0.1 --cycles 100 --json" + more).out)["provenance"];
  };
  EXPECT_EQ(made(""), made(" --seed 1"));
  EXPECT_EQ(made(" --seed 2")["seed"], 2);
  EXPECT_NE(made(" --warmup 7")["config_digest"], made("")["config_digest"]);
  EXPECT_EQ("wafersim " + made("")["version"].get<std::string>() + "\n", wafersim("--version").out);
}

TEST(Provenance, NamesTheCommitOfACheckoutOfItsOwnAndWhetherFilesChanged) {
  const tests::Folder folder("commit");
  const std::string tree = folder / "tree", source = folder / "commit.cpp";
  const auto shell = [&](const std::string& command) {
    return std::system(("cd " + tree + " && (" + command + ") >" + (folder / "out").string() + " 2>&1").c_str());
  };
  const auto commit = [&](const std::string& of) {
    EXPECT_EQ(shell("cmake -DSOURCE=" + of + " -DOUTPUT=" + source + " -P " WAFERSIM_SOURCE_DIR "/tools/write_commit.cmake"), 0);
    const std::string text = contents(source);
    std::smatch quoted;
    return std::regex_search(text, quoted, std::regex("commit = \"([^\"]*)\";")) ? quoted[1].str() : text;
  };
  std::filesystem::create_directories(folder / "tree/inner");
  EXPECT_EQ(commit(tree), "unknown");
  ASSERT_EQ(shell("git init -q && echo 1 >file && git add file && git -c user.name=a -c user.email=b commit -qm one && git tag v1"), 0);
  ASSERT_EQ(shell("git rev-parse HEAD"), 0);
  const std::string hash = contents(folder / "out").substr(0, 12);
  EXPECT_EQ(commit(tree), hash);
  std::ofstream(folder / "tree/file") << "2\n";
  EXPECT_EQ(commit(tree), hash + ".changed");
  EXPECT_EQ(commit(tree + "/inner"), "unknown");
}

}  // namespace
}  // namespace wafersim::tools
