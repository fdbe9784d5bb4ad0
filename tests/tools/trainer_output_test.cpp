// What the trainer leaves behind: the trace and the run directory.

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sim/error.h"
#include "tests/support/files.h"
#include "tools/trainer/run_directory.h"
#include "tools/trainer/trace.h"

namespace wafersim::tools {
namespace {

namespace fs = std::filesystem;

using tests::contents;

sim::ErrorCategory refused(const fs::path& directory, const fs::path& further = {}) {
  try {
    const RunDirectory made(directory, further);
  } catch (const sim::Error& error) {
    return error.category();
  }
  ADD_FAILURE() << directory << " was not refused";
  return sim::ErrorCategory::invariant;
}

TEST(RunDirectory, IsMadeWithItsParentsAndVanishesWhenNothingIsWritten) {
  const tests::Folder folder("trainer");
  {
    const RunDirectory run(folder / "a/b/c", {});
    EXPECT_TRUE(fs::is_directory(folder / "a/b/c"));
  }
  EXPECT_FALSE(fs::exists(folder / "a"));
}

TEST(RunDirectory, ReplacesTheFilesOfAnEarlierRunAndLeavesOthers) {
  const tests::Folder folder("trainer");
  for (const std::string text : {"first", "second"}) {
    const RunDirectory run(folder / "run/", {});
    run.write({{"config.json", text}, {"report.json", text + "!"}});
    std::ofstream(folder / "run/notes.txt") << "mine";
  }
  EXPECT_EQ(contents(folder / "run/config.json"), "second");
  EXPECT_EQ(contents(folder / "run/report.json"), "second!");
  EXPECT_EQ(contents(folder / "run/notes.txt"), "mine");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "run"), {}), 3);
}

TEST(RunDirectory, RefusesAPlaceThatIsAFileOrBelowOne) {
  const tests::Folder folder("trainer");
  std::ofstream(folder / "file") << "x";
  EXPECT_EQ(refused(folder / "file"), sim::ErrorCategory::config);
  EXPECT_EQ(refused(folder / "file/run"), sim::ErrorCategory::config);
}

TEST(RunDirectory, RefusesADirectoryWhoseConfigIsNotOfARun) {
  const tests::Folder folder("trainer");
  fs::create_directory(folder / "model");
  std::ofstream(folder / "model/config.json") << "{}";
  EXPECT_EQ(refused(folder / "model"), sim::ErrorCategory::config);
  EXPECT_EQ(contents(folder / "model/config.json"), "{}");
}

TEST(RunDirectory, RefusesFurtherFilesThatCannotBeWrittenAndLeavesNothing) {
  const tests::Folder folder("trainer");
  EXPECT_EQ(refused(folder / "run", folder / "missing/final.safetensors"), sim::ErrorCategory::config);
  EXPECT_FALSE(fs::exists(folder / "run"));
}

TEST(RunDirectory, WritesNoneOfTheFilesWhenOneCannotBeWritten) {
  const tests::Folder folder("trainer");
  const RunDirectory run(folder / "run", {});
  run.write({{"config.json", "old"}, {"report.json", "old"}});
  EXPECT_THROW(run.write({{"config.json", "new"}, {"no/such/folder.json", "new"}, {"report.json", "new"}}), sim::Error);
  EXPECT_EQ(contents(folder / "run/config.json"), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "run"), {}), 2);
}

const std::vector<PlannedCall> one_call = {{"linear", "forward", -1, {}, 0}};

models::StepResult step_at(fabric::Cycle first) {
  models::StepResult s;
  s.first = first;
  s.gradients = first + 80;
  s.last = first + 90;
  s.updates = {{0, first + 80, first + 100}};
  s.statistics.calls.resize(1);
  s.statistics.calls[0].first_start = first + 10;
  s.statistics.calls[0].last_done = first + 60;
  s.statistics.in_spans = {{{0, first, first + 50, 5}}, {}};
  s.statistics.out_spans = {{}, {{0, first + 30, first + 80, 4}}};
  return s;
}

TEST(Trace, HasATrackForEachSerialResourceInMicroseconds) {
  Trace trace(one_call, 1e6);
  trace.add(step_at(1000));
  const nlohmann::json events = nlohmann::json::parse(trace.json())["traceEvents"];
  std::map<int, std::string> tracks;
  std::map<std::string, nlohmann::json> spans;
  for (const nlohmann::json& event : events) {
    if (event["ph"] == "M")
      tracks[event["tid"]] = event["args"]["name"];
    else
      spans[tracks.at(event["tid"])] = event;
  }
  ASSERT_EQ(spans.size(), 4u);
  EXPECT_EQ(spans["wafer kernels"]["name"], "linear forward");
  EXPECT_EQ(spans["wafer kernels"]["ts"], 1010);
  EXPECT_EQ(spans["wafer kernels"]["dur"], 50);
  EXPECT_EQ(spans["optimizer"]["ts"], 1080);
  EXPECT_EQ(spans["optimizer"]["dur"], 20);
  EXPECT_EQ(spans["link in, west"]["name"], "linear forward");
  EXPECT_EQ(spans["link in, west"]["ts"], 1000);
  EXPECT_EQ(spans["link in, west"]["dur"], 50);
  EXPECT_EQ(spans["link in, west"]["args"]["words"], 5);
  EXPECT_EQ(spans["link out, east"]["ts"], 1030);
  EXPECT_EQ(spans["link out, east"]["args"]["words"], 4);
}

TEST(Trace, IsBoundedAndKeepsTheFirstAndTheLastSteps) {
  Trace trace(one_call, 1e6);
  const fabric::Cycle steps = 3 * Trace::most_events;
  for (fabric::Cycle s = 0; s < steps; ++s) trace.add(step_at(100 * s));
  const nlohmann::json events = nlohmann::json::parse(trace.json())["traceEvents"];
  double first = 1e30, last = 0;
  std::size_t spans = 0;
  for (const nlohmann::json& event : events) {
    if (event["ph"] != "X") continue;
    ++spans;
    first = std::min(first, event["ts"].get<double>());
    last = std::max(last, event["ts"].get<double>() + event["dur"].get<double>());
  }
  EXPECT_LE(spans, Trace::most_events);
  EXPECT_GT(spans, Trace::most_events / 2);
  EXPECT_EQ(first, 0);
  EXPECT_EQ(last, 100.0 * static_cast<double>(steps));
}

}  // namespace
}  // namespace wafersim::tools
