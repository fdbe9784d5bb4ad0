#include "sim/atomic_file.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <unistd.h>

namespace wafersim::sim {
namespace {

namespace fs = std::filesystem;

class AtomicFileTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  std::size_t files() const { return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator())); }
  static std::string content(const fs::path& path) {
    std::ostringstream out;
    out << std::ifstream(path).rdbuf();
    return out.str();
  }

  fs::path folder_ = fs::temp_directory_path() / ("wafersim_atomic_" + std::to_string(::getpid()));
};

TEST_F(AtomicFileTest, AppearsOnlyWhenCommitted) {
  const fs::path path = folder_ / "out";
  AtomicFile file(path);
  file.write("whole");
  EXPECT_FALSE(fs::exists(path));
  file.commit();
  EXPECT_EQ(content(path), "whole");
  EXPECT_EQ(files(), 1u);
}

TEST_F(AtomicFileTest, LeavesTheOldContentAndNoTemporaryWhenAbandoned) {
  const fs::path path = folder_ / "out";
  write_file_atomically(path, "old");
  {
    AtomicFile file(path);
    file.write("half of the n");
  }
  EXPECT_EQ(content(path), "old");
  EXPECT_EQ(files(), 1u);
}

TEST_F(AtomicFileTest, FollowsASymbolicLink) {
  fs::create_symlink(folder_ / "target", folder_ / "link");
  write_file_atomically(folder_ / "link", "text");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(content(folder_ / "target"), "text");
}

TEST_F(AtomicFileTest, RefusesASymbolicLinkThatLeadsBackToItself) {
  fs::create_symlink(folder_ / "b", folder_ / "a");
  fs::create_symlink(folder_ / "a", folder_ / "b");
  EXPECT_THROW(write_file_atomically(folder_ / "a", "text"), Error);
  EXPECT_TRUE(fs::is_symlink(folder_ / "a"));
  EXPECT_EQ(files(), 2u);
}

TEST_F(AtomicFileTest, ReportsAMissingDirectoryAndAFullDiskInTheGivenCategory) {
  try {
    write_file_atomically(folder_ / "none" / "out", "x", ErrorCategory::config);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), ErrorCategory::config);
    EXPECT_NE(std::string(error.what()).find("No such file"), std::string::npos);
  }
  try {
    write_file_atomically("/dev/full", std::string(100000, 'x'));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), ErrorCategory::output);
    EXPECT_NE(std::string(error.what()).find("No space left"), std::string::npos);
  }
  EXPECT_TRUE(fs::is_character_file("/dev/full")) << "a device is never replaced";
}

}  // namespace
}  // namespace wafersim::sim
