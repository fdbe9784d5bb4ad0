#include "tools/wafersim/manual_command.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/atomic_file.h"
#include "sim/error.h"
#include "sim/json_file.h"
#include "tools/manual/man_page.h"
#include "tools/trainer/provenance.h"
#include "tools/wafersim/standard_output.h"

namespace wafersim::tools {
namespace {

struct Options {
  std::string command, out;
};

// By the name of the subcommand; that of the program by "".
std::map<std::string, std::string> pages(const CLI::App& program) {
  const manual::CommandHelp whole = manual::program_help(program);
  const std::vector<manual::CommandHelp> commands = manual::subcommands_help(program);
  const std::string release = version().substr(0, version().find('+'));
  std::map<std::string, std::string> all = {{"", manual::man_page(whole, commands, release)}};
  for (const manual::CommandHelp& command : commands) all[command.name] = manual::man_page_of_command(whole, command, release);
  return all;
}

void write_all(const std::map<std::string, std::string>& all, const std::filesystem::path& directory) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);  // if it is not there then, writing says so
  for (const auto& [name, page] : all)
    sim::write_file_atomically(directory / fmt::format("wafersim{}{}.1", name.empty() ? "" : "-", name), page, sim::ErrorCategory::config);
}

int run(const CLI::App& program, const Options& options) {
  const std::map<std::string, std::string> all = pages(program);
  if (!options.out.empty()) {
    write_all(all, options.out);
    return 0;
  }
  if (const auto page = all.find(options.command); page != all.end()) {
    print_standard_output(page->second);
    return 0;
  }
  std::vector<std::string> names;
  for (const auto& [name, page] : all)
    if (!name.empty()) names.push_back(name);
  throw sim::Error(sim::ErrorCategory::config,
                   fmt::format("no subcommand is called {}; subcommands are {}", sim::printable(options.command), fmt::join(names, ", ")));
}

}  // namespace

Command manual_command(CLI::App& program) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand("manual", "The manual page of the program or of a subcommand, for man");
  command->add_option("COMMAND", options->command, "The subcommand; without one, the page of the program");
  command->add_option("--out", options->out, "Write all pages into this directory instead")->type_name("DIR");
  command->footer("Examples:\n  wafersim manual run | man -l -\n\nExit codes: 0 good, 2 no such subcommand or directory.");
  return {command, [&program, options] { return run(program, *options); }};
}

}  // namespace wafersim::tools
