// The real program, as a user runs it: `wafersim sweep` over small models, stopped, resumed, shared and failing.

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <sqlite3.h>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "tests/support/program.h"

namespace wafersim::tools {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using tests::contents, tests::Outcome;

// A folder with sweep.json over a small model and its tokens.
class Sweep : public testing::Test {
 protected:
  Sweep() {
    std::ofstream tokens(folder_ / "tokens.bin", std::ios::binary);
    for (int k = 0; k < 400; ++k) tokens << static_cast<char>((k * k + 3 * k) % 29) << '\0';
    write_sweep({{"training.batch", {1, 2}}, {"io.bandwidth", {"1 GB/s", "10 GB/s", "50 GB/s"}}});
  }

  void write_sweep(const json& axes, int steps = 2) const {
    const json base = {
        {"machine", "cs2"},
        {"machine_overrides", {{"fabric.width", 4}, {"fabric.height", 4}}},
        {"model",
         {{"name", "tiny"},
          {"config", {{"model_type", "gpt2"}, {"n_layer", 1}, {"n_embd", 8}, {"n_head", 2}, {"n_positions", 8}, {"vocab_size", 32}}}}},
        {"data", {{"tokens", "tokens.bin"}}},
        {"training", {{"batch", 2}, {"sequence", 8}, {"steps", steps}}},
        {"seed", 3}};
    std::ofstream(folder_ / "sweep.json") << json{{"base", base}, {"axes", axes}};
  }

  Outcome wafersim(const std::string& arguments, const std::string& before = "") const {
    return tests::wafersim(arguments, "cd " + folder_.path().string() + "; " + before);
  }

  std::map<std::string, std::string> points(const std::string& out) const {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(folder_ / out / "points")) files[entry.path().filename()] = contents(entry.path());
    return files;
  }

  // Starts `wafersim sweep sweep.json --out OUT --jobs 1`, waits for `ended` results and sends the signal; the exit code, or -1.
  int stop_after(std::size_t ended, int signal, const std::string& out) const {
    const pid_t child = fork();
    if (child == 0) {
      if (chdir(folder_.path().c_str()) != 0) _exit(99);
      dup2(open("err", O_WRONLY | O_CREAT | O_TRUNC, 0666), STDERR_FILENO);
      execl(WAFERSIM_PROGRAM, WAFERSIM_PROGRAM, "sweep", "sweep.json", "--out", out.c_str(), "--jobs", "1", static_cast<char*>(nullptr));
      _exit(99);
    }
    int status = 0;
    while ((!fs::exists(folder_ / out / "points") || points(out).size() < ended) && waitpid(child, &status, WNOHANG) == 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    kill(child, signal);
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  const tests::Folder folder_{"sweep"};
};

int count_rows(void* count, int, char** values, char**) {
  *static_cast<std::string*>(count) = values[0];
  return 0;
}

TEST_F(Sweep, LeavesAResultAPointATableAndADatabase) {
  const Outcome outcome = wafersim("sweep sweep.json --out o --jobs 2");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("6 ok, 0 failed"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.err.find("points 6/6"), std::string::npos) << outcome.err;
  const std::string csv = contents(folder_ / "o/sweep.csv");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 7);
  EXPECT_TRUE(csv.starts_with("id,io.bandwidth,training.batch,step_seconds,step_cycles,")) << csv;
  for (const auto& [name, text] : points("o")) {
    const json result = json::parse(text);
    EXPECT_EQ(result["status"], "ok");
    EXPECT_EQ(result["figures"]["step_seconds"], result["report"]["step"]["seconds"]);
    EXPECT_EQ(result["report"]["step"]["cycles"], result["figures"]["step_cycles"]);
    EXPECT_GT(result["host"]["peak_rss_bytes"], 1e6);
    EXPECT_GT(result["host"]["wall_seconds"], 0);
    for (const char* key : {"version", "config_digest", "seed", "host"}) EXPECT_TRUE(result["provenance"].contains(key)) << key;
    EXPECT_EQ(result["provenance"], result["report"]["provenance"]);
    EXPECT_NE(csv.find(fs::path(name).stem().string()), std::string::npos);
    EXPECT_EQ(wafersim("plan o/configs/" + name).exit_code, 0);
  }
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open((folder_ / "o/sweep.sqlite").c_str(), &database), SQLITE_OK);
  std::string count;
  sqlite3_exec(database, "SELECT count(*) FROM points WHERE step_seconds > 0 AND \"training.batch\" = 2", count_rows, &count, nullptr);
  sqlite3_close(database);
  EXPECT_EQ(count, "3");
}

TEST_F(Sweep, HasTheReportOfTheRunThatTheSameKeysGive) {
  ASSERT_EQ(wafersim("sweep sweep.json --out o").exit_code, 0);
  const auto all = points("o");
  const auto& [name, text] = *all.begin();
  ASSERT_EQ(wafersim("run o/configs/" + name + " --out run").exit_code, 0);
  json result = json::parse(text), report = json::parse(contents(folder_ / "run/report.json"));
  result["report"].erase("host");
  report.erase("host");
  EXPECT_EQ(report.erase("trace_file"), 1u);  // a point has none
  EXPECT_EQ(result["report"], report);
}

TEST_F(Sweep, RunsNoFinishedPointAgainAndThoseOfAnotherConfigurationAgain) {
  ASSERT_EQ(wafersim("sweep sweep.json --out o").exit_code, 0);
  const auto first = points("o");
  ASSERT_EQ(wafersim("sweep sweep.json --out o").exit_code, 0);
  EXPECT_EQ(points("o"), first);  // their host's times included
  write_sweep({{"training.batch", {1, 2, 4}}, {"io.bandwidth", {"1 GB/s", "10 GB/s", "50 GB/s"}}});
  ASSERT_EQ(wafersim("sweep sweep.json --out o").exit_code, 0);
  EXPECT_EQ(points("o").size(), 9u);
  for (const auto& [name, text] : first) EXPECT_EQ(points("o")[name], text);
  write_sweep({{"training.batch", {1, 2, 4}}, {"io.bandwidth", {"1 GB/s", "10 GB/s", "50 GB/s"}}}, 3);
  const Outcome again = wafersim("sweep sweep.json --out o");
  ASSERT_EQ(again.exit_code, 0);
  EXPECT_TRUE(again.err.starts_with("9 points have results of another configuration")) << again.err;
  for (const auto& [name, text] : points("o")) EXPECT_EQ(json::parse(text)["report"]["loss"].size(), 3u);
}

TEST_F(Sweep, RunsPointsAgainWhoseResultsAreDamaged) {
  ASSERT_EQ(wafersim("sweep sweep.json --out o").exit_code, 0);
  const std::string table = contents(folder_ / "o/sweep.csv");
  const auto [name, text] = *points("o").begin();
  std::vector<std::string> damaged = {"", text.substr(0, 900), "[]", R"({"provenance": 5})", R"({"provenance": {"version": 5}})"};
  for (const char* key : {"exit_code", "figures", "status", "error"}) {
    json result = json::parse(text);
    result[key] = json::array({1});
    damaged.push_back(result.dump());
  }
  for (const std::string& other : damaged) {
    std::ofstream(folder_ / "o/points" / name) << other;
    const Outcome outcome = wafersim("sweep sweep.json --out o");
    EXPECT_EQ(outcome.exit_code, 0) << other.substr(0, 200) << "\n" << outcome.err;
    EXPECT_EQ(contents(folder_ / "o/sweep.csv"), table) << other.substr(0, 200);
  }
}

TEST_F(Sweep, IsComparedWithAnotherPointByPoint) {
  ASSERT_EQ(wafersim("sweep sweep.json --out o").exit_code, 0);
  ASSERT_EQ(wafersim("sweep sweep.json --out same --jobs 2").exit_code, 0);
  json slower = json::parse(contents(folder_ / "sweep.json"));
  slower["base"]["machine_overrides"]["fabric.hop_cycles"] = 2;
  std::ofstream(folder_ / "sweep.json") << slower;
  ASSERT_EQ(wafersim("sweep sweep.json --out slower").exit_code, 0);
  EXPECT_EQ(wafersim("compare o same").exit_code, 0);
  const Outcome outcome = wafersim("compare o slower --json");
  EXPECT_EQ(outcome.exit_code, 1);
  std::size_t moved = 0;
  const json found = json::parse(outcome.out);
  for (const json& d : found["differences"]) moved += d["key"] == "step.cycles";
  EXPECT_EQ(moved, 6u) << outcome.out.substr(0, 2000);
}

class StoppedSweep : public Sweep, public testing::WithParamInterface<int> {};

TEST_P(StoppedSweep, GoesOnWithWhatHasNoResultAndEndsWithTheSameTable) {
  write_sweep({{"training.batch", {1, 2}}, {"io.bandwidth", {"1 GB/s", "10 GB/s", "50 GB/s"}}}, 8);
  const int code = stop_after(1, GetParam(), "stopped");
  EXPECT_EQ(code, GetParam() == SIGKILL ? -1 : 128 + GetParam());
  const auto kept = points("stopped");
  ASSERT_GE(kept.size(), 1u);
  ASSERT_LT(kept.size(), 6u);
  EXPECT_FALSE(fs::exists(folder_ / "stopped/sweep.csv"));
  ASSERT_EQ(wafersim("sweep sweep.json --out stopped").exit_code, 0);
  EXPECT_EQ(points("stopped").size(), 6u);
  for (const auto& [name, text] : kept) EXPECT_EQ(points("stopped")[name], text) << "run twice";
  EXPECT_TRUE(fs::is_empty(folder_ / "stopped/work"));
  ASSERT_EQ(wafersim("sweep sweep.json --out whole").exit_code, 0);
  EXPECT_EQ(contents(folder_ / "stopped/sweep.csv"), contents(folder_ / "whole/sweep.csv"));
}

INSTANTIATE_TEST_SUITE_P(Signals, StoppedSweep, testing::Values(SIGINT, SIGTERM, SIGKILL), [](const auto& test) {
  return test.param == SIGINT ? "Interrupt" : test.param == SIGTERM ? "Terminate" : "Kill";
});

TEST_F(Sweep, SharesItsPointsWithAnotherOfTheSameDirectory) {
  write_sweep({{"seed", {1, 2, 3, 4, 5, 6, 7, 8}}}, 10);
  const std::string one = std::string(WAFERSIM_PROGRAM) + " sweep sweep.json --out o --jobs 1 2>&1";
  const std::string both =
      "cd " + folder_.path().string() + "; (" + one + " >first; echo $? >>codes) & " + one + " >second; echo $? >>codes; wait";
  ASSERT_EQ(std::system(both.c_str()), 0);
  EXPECT_EQ(contents(folder_ / "codes"), "0\n0\n") << contents(folder_ / "first") << contents(folder_ / "second");
  EXPECT_EQ(points("o").size(), 8u);
}

TEST_F(Sweep, GoesOnWithTheProgramThatBeganItWhenItsFileIsReplaced) {
  write_sweep({{"seed", {1, 2, 3, 4, 5, 6, 7, 8}}}, 10);
  const std::string program = (folder_ / "program").string();
  fs::copy_file(WAFERSIM_PROGRAM, program);
  const std::string sweep =
      "cd " + folder_.path().string() + "; (" + program + " sweep sweep.json --out o --jobs 1 >out 2>&1; echo $? >code) & ";
  ASSERT_EQ(std::system((sweep + "until [ -n \"$(ls o/points)\" ]; do sleep 0.01; done 2>/dev/null; rm " + program + "; wait").c_str()), 0);
  EXPECT_EQ(contents(folder_ / "code"), "0\n") << contents(folder_ / "out");
}

TEST_F(Sweep, RecordsPointsThatFailAndRunsTheOthers) {
  write_sweep({{"training.batch", {2, 0}}, {"sram.bytes", {"48 KiB", "4 KiB"}}});
  const Outcome outcome = wafersim("sweep sweep.json --out o --json");
  EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
  EXPECT_EQ(json::parse(outcome.out)["ok"], 1);
  EXPECT_EQ(json::parse(outcome.out)["failed"], 3);
  EXPECT_NE(outcome.err.find("sweep.json: axes: training.batch = 0: expected"), std::string::npos) << outcome.err;
  int impossible = 0;
  for (const auto& [name, text] : points("o")) {
    const json result = json::parse(text);
    if (result["exit_code"] != 3) continue;
    ++impossible;
    EXPECT_TRUE(result["error"].get<std::string>().starts_with("plan error: SRAM overflow")) << result["error"];
    EXPECT_NE(contents(folder_ / "o/sweep.csv").find("plan error: SRAM overflow"), std::string::npos);
  }
  EXPECT_EQ(impossible, 1);
}

TEST_F(Sweep, IsRefusedWithItsFirstErrorWhereNoPointIsAConfiguration) {
  write_sweep({{"training.bach", {1, 2}}});
  const Outcome outcome = wafersim("sweep sweep.json --out o");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.out, "");
  for (const char* part : {"sweep.json: axes: training.bach = 1", "training.batch"})
    EXPECT_NE(outcome.err.find(part), std::string::npos) << outcome.err;
  EXPECT_FALSE(fs::exists(folder_ / "o"));
}

TEST_F(Sweep, RefusesPlacesThatCannotBeWrittenAndThoseOfOthers) {
  fs::create_directory(folder_ / "mine");
  std::ofstream(folder_ / "mine/thesis.txt") << "text";
  for (const std::string place : {"tokens.bin", "tokens.bin/o", "/proc/o", "mine"}) {
    const Outcome outcome = wafersim("sweep sweep.json --out " + place);
    EXPECT_EQ(outcome.exit_code, 2) << place;
    EXPECT_TRUE(outcome.err.starts_with("wafersim: config error: --out " + place + ": ")) << outcome.err;
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "mine"), {}), 1);
}

TEST_F(Sweep, KeepsItsResultsOnAFullDiskAndGoesOnWhereThereIsRoom) {
  write_sweep({{"training.batch", {1}}});
  ASSERT_EQ(wafersim("sweep sweep.json --out o").exit_code, 0);
  const auto before = points("o");
  write_sweep({{"training.batch", {1, 2, 4}}});
  // No file may grow beyond 4 KiB: a full disk, to the program and its points.
  const Outcome full = wafersim("sweep sweep.json --out o", "trap '' XFSZ; ulimit -f 8;");
  EXPECT_EQ(full.exit_code, 6) << full.err;
  EXPECT_NE(full.err.find("output error: "), std::string::npos) << full.err;
  for (const auto& [name, text] : before) EXPECT_EQ(points("o")[name], text);
  ASSERT_EQ(wafersim("sweep sweep.json --out o").exit_code, 0);
  EXPECT_EQ(points("o").size(), 3u);
}

TEST_F(Sweep, OfSampledRunsSharesTheirSamples) {
  write_sweep({{"io.bandwidth", {"1 GB/s", "10 GB/s"}}, {"fidelity", {"sampled"}}, {"training.batch", {2}}});
  ASSERT_EQ(wafersim("sweep sweep.json --out o --jobs 1 --cache samples").exit_code, 0);
  int sampled = 0, cached = 0;
  for (const auto& [name, text] : points("o")) {
    const json host = json::parse(text)["report"]["host"];
    sampled += host["kernels_sampled"].get<int>() > 0;
    cached += host["kernels_sampled"].get<int>() == 0;
    EXPECT_FALSE(json::parse(text)["figures"]["exposed_stream_seconds"].is_null());
  }
  EXPECT_EQ(sampled, 1);
  EXPECT_EQ(cached, 1);
}

TEST_F(Sweep, TaskWithoutItsNumberIsRefused) {
  const Outcome outcome = wafersim("sweep --task --out o", "unset SLURM_ARRAY_TASK_ID;");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("SLURM_ARRAY_TASK_ID is not set"), std::string::npos) << outcome.err;
}

TEST_F(Sweep, TaskOfWhatIsNoSweepIsRefusedAndMakesNothing) {
  EXPECT_EQ(wafersim("sweep --task --out nothing", "export SLURM_ARRAY_TASK_ID=0;").exit_code, 2);
  EXPECT_FALSE(fs::exists(folder_ / "nothing"));
}

TEST_F(Sweep, TaskRunsThePointsOfItsNumberAndTheLastOneMakesTheTable) {
  // Without the program of that name the array is only written.
  EXPECT_EQ(wafersim("sweep sweep.json --out o --slurm --points-per-task 4", "PATH=/nowhere;").exit_code, 2);
  ASSERT_EQ(wafersim("sweep --task --out o --points-per-task 4", "export SLURM_ARRAY_TASK_ID=1;").exit_code, 0);
  EXPECT_EQ(points("o").size(), 2u);
  EXPECT_FALSE(fs::exists(folder_ / "o/sweep.csv"));
  ASSERT_EQ(wafersim("sweep --task --out o --points-per-task 4", "export SLURM_ARRAY_TASK_ID=0;").exit_code, 0);
  EXPECT_EQ(points("o").size(), 6u);
  EXPECT_TRUE(fs::exists(folder_ / "o/sweep.csv"));
}

}  // namespace
}  // namespace wafersim::tools
