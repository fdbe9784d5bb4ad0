#include "tools/manual/command_help.h"

#include <CLI/CLI.hpp>
#include <regex>
#include <sstream>

namespace wafersim::manual {
namespace {

// A type's name without the checks that CLI11 appends to it: "N" of "N:POSITIVE" and of "N:INT in [1 - 9]"; "FROM:TO" as it is.
std::string without_checks(const std::string& type) {
  return std::regex_replace(type, std::regex(R"((:(POSITIVE|NONNEGATIVE|[A-Z]+ in \[[^:]*|\{[^:]*\}))+$)"), "");
}

OptionHelp help_of(const CLI::Option& option) {
  OptionHelp help;
  help.positional = option.get_positional();
  if (help.positional) help.names.push_back(option.get_name(true));
  for (const std::string& name : option.get_snames()) help.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) help.names.push_back("--" + name);
  if (help.positional)
    help.value = help.names.front();
  else if (option.get_items_expected_max() > 0)
    help.value = without_checks(option.get_type_name());
  help.about = option.get_description();
  help.standard = option.get_default_str();
  help.required = option.get_required();
  help.repeated = option.get_expected_max() > 1;
  return help;
}

CommandHelp help_of(const CLI::App& command) {
  CommandHelp help{command.get_name(), command.get_description(), {}, command.get_footer()};
  for (const CLI::Option* option : command.get_options()) help.options.push_back(help_of(*option));
  return help;
}

}  // namespace

CommandHelp program_help(const CLI::App& program) { return help_of(program); }

std::vector<CommandHelp> subcommands_help(const CLI::App& program) {
  std::vector<CommandHelp> all;
  for (const CLI::App* command : program.get_subcommands([](const CLI::App*) { return true; })) all.push_back(help_of(*command));
  return all;
}

std::vector<std::string> choices(const std::string& value) {
  std::vector<std::string> words;
  if (value.find('|') == std::string::npos) return words;
  std::istringstream text(value);
  for (std::string word; std::getline(text, word, '|');) words.push_back(word);
  return words;
}

}  // namespace wafersim::manual
