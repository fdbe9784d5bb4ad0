#pragma once
// CONFIG, --set KEY=VALUE and --output-config FILE, as every subcommand that takes a configuration has them.

#include <string>
#include <vector>

#include "sim/config/tree.h"
#include "workloads/run_spec.h"

namespace CLI {
class App;
}

namespace wafersim::tools {

struct ConfigArguments {
  std::string config;                  // a file, or the name of a run preset
  std::vector<std::string> overrides;  // KEY=VALUE
  std::string output;                  // where the complete configuration goes; empty: nowhere
};

// Adds them to a subcommand; `arguments` must live as long as it.
void add_config_arguments(CLI::App& command, ConfigArguments& arguments);

// The run they describe, which is also written to `output`; `further` overrides come after those of --set. Relative paths of overrides
// start from the working directory. Errors: config for wrong input, unsupported for what this version does not do.
workloads::RunSpec read_run_spec(const ConfigArguments& arguments, const std::vector<sim::Override>& further = {});

}  // namespace wafersim::tools
