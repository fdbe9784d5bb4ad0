#include "tools/wafersim/manual_command.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>
#include <string>
#include <vector>

#include "sim/error.h"
#include "sim/json_file.h"
#include "tools/manual/man_page.h"
#include "tools/trainer/provenance.h"
#include "tools/wafersim/standard_output.h"

namespace wafersim::tools {
namespace {

std::string page(const CLI::App& program, const std::string& asked) {
  const manual::CommandHelp whole = manual::program_help(program);
  const std::vector<manual::CommandHelp> commands = manual::subcommands_help(program);
  const std::string release = version().substr(0, version().find('+'));
  if (asked.empty()) return manual::man_page(whole, commands, release);
  std::vector<std::string> names;
  for (const manual::CommandHelp& command : commands) {
    if (command.name == asked) return manual::man_page_of_command(whole, command, release);
    names.push_back(command.name);
  }
  throw sim::Error(sim::ErrorCategory::config,
                   fmt::format("no subcommand is called {}; subcommands are {}", sim::printable(asked), fmt::join(names, ", ")));
}

}  // namespace

Command manual_command(CLI::App& program) {
  const auto asked = std::make_shared<std::string>();
  CLI::App* command = program.add_subcommand("manual", "The manual page of the program or of a subcommand, for man");
  command->add_option("COMMAND", *asked, "The subcommand; without one, the page of the program");
  command->footer("Examples:\n  wafersim manual run | man -l -\n\nExit codes: 0 good, 2 no such subcommand.");
  return {command, [&program, asked] {
            print_standard_output(page(program, *asked));
            return 0;
          }};
}

}  // namespace wafersim::tools
