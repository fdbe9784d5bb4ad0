#pragma once
// The real program (macro WAFERSIM_PROGRAM) as a user runs it.

#include <cstdlib>
#include <string>
#include <sys/wait.h>

#include "tests/support/files.h"

namespace wafersim::tests {

struct Outcome {
  int exit_code = -1;  // -1: ended by a signal
  std::string out;
  std::string err;
};

// Runs `wafersim ARGUMENTS` through the shell, after the commands `before`, and waits for its end.
inline Outcome wafersim(const std::string& arguments, const std::string& before = "") {
  const Folder folder("program");
  const std::string command =
      before + " exec " + WAFERSIM_PROGRAM + " " + arguments + " >" + (folder / "out").string() + " 2>" + (folder / "err").string();
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, contents(folder / "out"), contents(folder / "err")};
}

}  // namespace wafersim::tests
