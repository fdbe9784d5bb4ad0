// Runs that are stopped and go on: killed at any moment, ended by signals, and with checkpoints that are not theirs.

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "sim/random.h"
#include "tests/support/program.h"
#include "tests/support/run_results.h"

namespace wafersim::tools {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using tests::contents, tests::Outcome;

struct Kind {
  const char* name;
  const char* arguments;  // beyond the common ones
};

class StoppedRun : public testing::TestWithParam<Kind> {
 protected:
  StoppedRun() {
    std::ofstream text(folder_ / "text");
    for (int k = 0; k < 400; ++k) text << static_cast<char>('a' + (k * k + 3 * k) % 23);
    text.close();
    const nlohmann::json config = {
        {"machine", "cs2"},
        {"machine_overrides", {{"fabric.width", 4}, {"fabric.height", 4}, {"memoryx.optimizer_rate", 1e8}}},
        {"model",
         {{"config", {{"model_type", "gpt2"}, {"n_layer", 1}, {"n_embd", 8}, {"n_head", 2}, {"n_positions", 8}, {"vocab_size", 256}}}}},
        {"data", {{"text", "text"}}},
        {"training", {{"batch", 2}, {"sequence", 8}, {"steps", 8}, {"loss_scale", {{"initial", 1e9}}}}},
        {"seed", 3}};
    std::ofstream(folder_ / "run.json") << config;
  }

  std::vector<std::string> arguments(const std::string& out, const std::vector<std::string>& more) const {
    std::vector<std::string> all = {WAFERSIM_PROGRAM, "run", folder_ / "run.json", "--cache", folder_ / "cache", "--out", folder_ / out};
    std::istringstream words(GetParam().arguments);
    for (std::string word; words >> word;) all.push_back(word);
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  // The program, its messages in `err`.
  pid_t start(const std::string& out, const std::vector<std::string>& more) const {
    std::ofstream(folder_ / "err").close();
    const pid_t child = fork();
    if (child != 0) return child;
    const int err = open((folder_ / "err").c_str(), O_WRONLY | O_APPEND), null = open("/dev/null", O_WRONLY);
    dup2(err, STDERR_FILENO);
    dup2(null, STDOUT_FILENO);
    std::vector<std::string> all = arguments(out, more);
    std::vector<char*> pointers;
    for (std::string& argument : all) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    execv(pointers[0], pointers.data());
    _exit(99);
  }
  int end(pid_t child) const {
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  int run(const std::string& out, const std::vector<std::string>& more = {}) const { return end(start(out, more)); }
  std::string err() const { return contents(folder_ / "err"); }
  // Waits until the messages name something, or the program ends.
  bool says(pid_t child, const std::string& what) const {
    siginfo_t ended{};
    while (err().find(what) == std::string::npos) {
      if (waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid == child) return false;
      std::this_thread::sleep_for(2ms);
    }
    return true;
  }

  const tests::Folder folder_{"stopped"};
};

// Names the files that differ, and where.
std::string difference(const std::map<std::string, std::string>& one, const std::map<std::string, std::string>& other) {
  std::string text;
  for (const auto& [name, bytes] : one) {
    if (!other.contains(name))
      text += name + " is missing; ";
    else if (const std::string& same = other.at(name); same != bytes) {
      const auto at = static_cast<std::size_t>(std::mismatch(bytes.begin(), bytes.end(), same.begin(), same.end()).first - bytes.begin());
      text += name + ": " + bytes.substr(at - std::min<std::size_t>(at, 60), 120) + " | " +
              same.substr(at - std::min<std::size_t>(at, 60), 120) + "; ";
    }
  }
  for (const auto& [name, bytes] : other)
    if (!one.contains(name)) text += name + " is one more; ";
  return text;
}

TEST_P(StoppedRun, KilledTwentyTimesLeavesTheBytesOfOneThatNeverWas) {
  ASSERT_EQ(run("whole"), 0) << err();  // samples, where there are some, are kept for those that follow
  const auto began = std::chrono::steady_clock::now();
  ASSERT_EQ(run("whole"), 0) << err();
  const auto lasts = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began).count();
  const auto whole = tests::run_results(folder_ / "whole");
  int kills = 0, went_on = 0;
  for (std::uint64_t draw = 0; kills < 20 || (went_on == 0 && draw < 400); ++draw) {
    const pid_t child = start("killed", {"--checkpoint-every", "1", "--resume"});
    std::this_thread::sleep_for(std::chrono::milliseconds(sim::uniform_below(static_cast<std::uint64_t>(lasts), 5, 0, draw)));
    kill(child, SIGKILL);
    const int status = end(child);
    if (status == -SIGKILL) ++kills;
    went_on += err().find("goes on after step") != std::string::npos ? 1 : 0;
    if (status == 0) {  // it was quicker: again from the start
      EXPECT_EQ(difference(whole, tests::run_results(folder_ / "killed")), "");
      fs::remove_all(folder_ / "killed");
    } else {
      ASSERT_EQ(status, -SIGKILL) << err();
    }
  }
  EXPECT_GT(went_on, 0);
  ASSERT_EQ(run("killed", {"--resume"}), 0) << err();
  EXPECT_EQ(difference(whole, tests::run_results(folder_ / "killed")), "");
}

TEST_P(StoppedRun, EndsAfterItsStepWhenASignalAsksAndGoesOnToTheSameBytes) {
  const bool sampled = std::string(GetParam().name) == "sampled";
  const std::string steps = sampled ? "600" : "40";  // so many that a signal comes before the last one
  ASSERT_EQ(run("whole", {"--steps", steps}), 0) << err();
  const pid_t child = start("ended", {"--steps", steps, "--checkpoint-every", "1"});
  while (!fs::exists(folder_ / "ended/checkpoint.bin")) std::this_thread::sleep_for(2ms);
  kill(child, SIGUSR1);
  ASSERT_TRUE(says(child, sampled ? "no step is done" : "wafersim: step ")) << err();
  kill(child, SIGTERM);
  const int status = end(child);
  ASSERT_EQ(status, 128 + SIGTERM) << err();
  EXPECT_NE(err().find("--resume goes on"), std::string::npos) << err();
  ASSERT_TRUE(fs::exists(folder_ / "ended/checkpoint.bin"));
  ASSERT_EQ(run("ended", {"--steps", steps, "--resume"}), 0) << err();
  EXPECT_NE(err().find("goes on after step"), std::string::npos) << err();
  EXPECT_EQ(difference(tests::run_results(folder_ / "whole"), tests::run_results(folder_ / "ended")), "");
}

TEST_P(StoppedRun, GoesOnWithoutATraceToTheSameBytes) {
  const bool sampled = std::string(GetParam().name) == "sampled";
  const std::vector<std::string> all = {"--no-trace", "--steps", sampled ? "600" : "40"}, all_but_the_trace = {all.begin() + 1, all.end()};
  const auto with = [](std::vector<std::string> arguments, const std::vector<std::string>& more) {
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  };
  ASSERT_EQ(run("whole", all), 0) << err();
  const pid_t child = start("ended", with(all, {"--checkpoint-every", "1"}));
  while (!fs::exists(folder_ / "ended/checkpoint.bin")) std::this_thread::sleep_for(2ms);
  kill(child, SIGTERM);
  ASSERT_EQ(end(child), 128 + SIGTERM) << err();
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "ended"), {}), 1) << "checkpoint.bin alone";
  if (!sampled) {  // whose steps are traced in the end
    EXPECT_EQ(run("ended", with(all_but_the_trace, {"--resume"})), 2);
    EXPECT_NE(err().find("of another run, by its trace options"), std::string::npos) << err();
  }
  ASSERT_EQ(run("ended", with(all, {"--resume"})), 0) << err();
  EXPECT_EQ(difference(tests::run_results(folder_ / "whole"), tests::run_results(folder_ / "ended")), "");
}

TEST_P(StoppedRun, RefusesACheckpointThatIsNotItsOwn) {
  const fs::path file = folder_ / "run/checkpoint.bin";
  pid_t child = start("run", {"--steps", "100000", "--checkpoint-every", "1"});
  while (!fs::exists(file)) std::this_thread::sleep_for(2ms);
  kill(child, SIGKILL);
  end(child);
  const std::string good = contents(file);
  const auto refused = [&](const std::string& bytes, const std::vector<std::string>& more, const std::string& why) {
    std::ofstream(file, std::ios::binary) << bytes;
    std::vector<std::string> all = {"--steps", "100000", "--resume"};
    all.insert(all.end(), more.begin(), more.end());
    EXPECT_EQ(run("run", all), 2);
    EXPECT_NE(err().find("checkpoint.bin"), std::string::npos) << err();
    EXPECT_NE(err().find(why), std::string::npos) << err();
    EXPECT_EQ(contents(file), bytes);
  };
  std::string flipped = good;
  flipped[good.size() - 9] = static_cast<char>(flipped[good.size() - 9] ^ 1);
  refused(flipped, {}, "cut short or changed");
  refused(good.substr(0, good.size() / 2), {}, "cut short or changed");
  refused("", {}, "not a checkpoint");
  refused("{\"wafersim_checkpoint\": 1", {}, "not a checkpoint");
  refused(good, {"--set", "training.optimizer.lr=0.5"}, "of another run, by its configuration");
  const fs::path part = folder_ / "run/checkpoint.trace-1";
  const std::string trace = contents(part);
  if (!trace.empty()) {  // that of a sampled run is written in the end
    refused(good, {"--trace-window", "1:"}, "of another run, by its trace options");
    std::ofstream(part) << trace.substr(0, trace.size() / 2) << "x";
    refused(good, {}, "checkpoint.trace-1: missing, cut short or changed");
  }
  fs::remove(part);
  refused(good, {}, "checkpoint.trace-1: missing, cut short or changed");
  std::ofstream(part) << trace;
  std::string older = good;
  older.replace(older.find("\"version\":\"") + 11, 1, "x");
  refused(older, {}, "made by version");
  std::ofstream(folder_ / "text", std::ios::app) << "more";
  refused(good, {}, "of another run, by its data");
}

TEST_P(StoppedRun, EndsWhenACheckpointCannotBeWrittenAndLeavesNoHalfOfIt) {
  std::string command;
  // The trace fits, which is written first.
  for (const std::string& argument : arguments("full", {"--checkpoint-every", "1", "--trace-limit", "16kB"})) command += argument + " ";
  command.erase(0, command.find(" run "));
  const Outcome full = tests::wafersim(command, "trap '' XFSZ; ulimit -f 40;");  // no file may grow beyond 40 KiB or less
  EXPECT_EQ(full.exit_code, 6) << full.err;
  EXPECT_NE(full.err.find("checkpoint.bin: cannot be written"), std::string::npos) << full.err;
  EXPECT_FALSE(fs::exists(folder_ / "full"));
}

INSTANTIATE_TEST_SUITE_P(Kinds, StoppedRun,
                         testing::Values(Kind{"wavelets", ""}, Kind{"systems", "--set systems=2"}, Kind{"sampled", "--fidelity sampled"}),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace wafersim::tools
