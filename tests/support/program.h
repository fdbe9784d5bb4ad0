#pragma once
// The real program (macro WAFERSIM_PROGRAM) as a user runs it.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace wafersim::tests {

struct Outcome {
  int exit_code = -1;  // -1: ended by a signal
  std::string out;
  std::string err;
};

inline std::string contents(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// Runs `wafersim ARGUMENTS` through the shell and waits for its end.
inline Outcome wafersim(const std::string& arguments) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / ("wafersim_program_" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  const std::string command =
      std::string(WAFERSIM_PROGRAM) + " " + arguments + " >" + (folder / "out").string() + " 2>" + (folder / "err").string();
  const int status = std::system(command.c_str());
  Outcome outcome = {WIFEXITED(status) ? WEXITSTATUS(status) : -1, contents(folder / "out"), contents(folder / "err")};
  std::filesystem::remove_all(folder);
  return outcome;
}

}  // namespace wafersim::tests
