#include "tools/wafersim/completion_command.h"

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

#include "models/machine.h"
#include "tools/manual/bash_completion.h"
#include "tools/wafersim/standard_output.h"
#include "workloads/presets.h"
#include "workloads/run_spec.h"

namespace wafersim::tools {
namespace {

std::map<std::string, manual::Values> values() {
  using Kind = manual::Values::Kind;
  const std::vector<std::string> runs = workloads::preset_names(workloads::run_presets());
  const std::vector<std::string> sweeps = workloads::preset_names(workloads::sweep_presets());
  std::vector<std::string> all = runs;
  for (const auto& names : {sweeps, workloads::preset_names(workloads::model_presets()), models::machine_names()})
    all.insert(all.end(), names.begin(), names.end());
  const manual::Values files{{}, Kind::words_or_files};
  return {{"CONFIG", {runs, Kind::words_or_files}},
          {"SWEEP", {sweeps, Kind::words_or_files}},
          {"NAME", {all}},
          {"A", files},
          {"B", files},
          {"FILE", files},
          {"SHELL", {{"bash"}}},
          {"DIR", {{}, Kind::directories}},
          {"KEY=VALUE", {workloads::run_keys(), Kind::keys}}};
}

int run(const CLI::App& program) {
  const std::vector<manual::CommandHelp> commands = manual::subcommands_help(program);
  std::map<std::string, manual::Values> all = values();
  for (const manual::CommandHelp& command : commands) all["COMMAND"].words.push_back(command.name);
  print_standard_output(manual::bash_completion(manual::program_help(program), commands, all));
  return 0;
}

}  // namespace

Command completion_command(CLI::App& program) {
  CLI::App* command = program.add_subcommand("completion", "The script with which a shell completes this program's command lines");
  command->add_option("SHELL", "The shell; bash is known")->required()->check(CLI::IsMember({"bash"}));
  command->footer(
      "Examples:\n  eval \"$(wafersim completion bash)\"        for this shell; `cmake --install` installs it for all\n\n"
      "Exit codes: 0 good, 2 bad input.");
  return {command, [&program] { return run(program); }};
}

}  // namespace wafersim::tools
