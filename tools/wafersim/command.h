#pragma once
// A subcommand of the program: one file each, listed in main.cpp.

#include <functional>

namespace CLI {
class App;
}

namespace wafersim::tools {

struct Command {
  CLI::App* arguments;       // owned by the program's CLI::App; says whether the user has asked for this command
  std::function<int()> run;  // after parsing; returns the exit code of a run that ended as it should, throws sim::Error otherwise
};

}  // namespace wafersim::tools
