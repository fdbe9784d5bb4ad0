#include "tools/wafersim/config_arguments.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>

#include "sim/atomic_file.h"
#include "tools/trainer/provenance.h"

namespace wafersim::tools {

void add_config_arguments(CLI::App& command, ConfigArguments& arguments) {
  command.add_option("CONFIG", arguments.config, "A JSON file, or the name of a preset (see wafersim presets)")->required();
  command
      .add_option("--set", arguments.overrides,
                  "Overrides a key of the configuration, as in --set training.steps=5 or --set fabric.width=32")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command
      .add_option("--output-config", arguments.output,
                  "Also write the complete configuration, with defaults and overrides: what runs again to the same results")
      ->type_name("FILE");
}

workloads::RunSpec read_run_spec(const ConfigArguments& arguments, const std::vector<sim::Override>& further) {
  std::vector<sim::Override> overrides;
  for (const std::string& text : arguments.overrides) overrides.push_back(sim::parse_override(text));
  overrides.insert(overrides.end(), further.begin(), further.end());
  workloads::RunSpec spec = workloads::read_run_spec(arguments.config, overrides, std::filesystem::current_path());
  if (!arguments.output.empty()) sim::write_file_atomically(arguments.output, config_text(spec), sim::ErrorCategory::config);
  for (const workloads::IgnoredKey& ignored : spec.model.ignored) fmt::print(stderr, "wafersim: ignored: {}\n", text(ignored));
  return spec;
}

}  // namespace wafersim::tools
