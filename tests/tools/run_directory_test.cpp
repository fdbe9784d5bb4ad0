// The run directory.

#include "tools/trainer/run_directory.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

#include "sim/error.h"
#include "tests/support/files.h"

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

TEST(RunDirectory, KeepsNoResultOfAnEarlierRunThatThisOneDoesNotLeave) {
  const tests::Folder folder("trainer");
  const RunDirectory run(folder / "run", {});
  run.write({{"config.json", "1"}, {"report.json", "1"}, {"trace.json", "1"}, {"heatmap.csv", "1"}});
  EXPECT_THROW(run.write({{"config.json", "2"}, {"no/such/folder.json", "2"}}), sim::Error);
  EXPECT_TRUE(fs::exists(folder / "run/trace.json"));
  run.write({{"config.json", "2"}, {"report.json", "2"}});
  EXPECT_FALSE(fs::exists(folder / "run/trace.json"));
  EXPECT_FALSE(fs::exists(folder / "run/heatmap.csv"));
  EXPECT_EQ(contents(folder / "run/report.json"), "2");
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

}  // namespace
}  // namespace wafersim::tools
