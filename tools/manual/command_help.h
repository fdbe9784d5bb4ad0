#pragma once
// What the command line takes, as values: from the definitions that parse it, so that completion and manual pages cannot be out of date.

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace wafersim::manual {

struct OptionHelp {
  std::vector<std::string> names;  // "-h", "--help"; of a positional argument its one name
  std::string value;               // "DIR", "N", or the choices, "wavelet|sampled"; of a positional its name; empty: none
  std::string about;
  std::string standard;  // the default; empty: none
  bool positional = false;
  bool required = false;
  bool repeated = false;
};

struct CommandHelp {
  std::string name;  // of the program: "wafersim"
  std::string about;
  std::vector<OptionHelp> options;
  std::string further;  // paragraphs "Title: text", or "Title:" and indented lines that stay as they are
};

CommandHelp program_help(const CLI::App& program);                   // its subcommands left out
std::vector<CommandHelp> subcommands_help(const CLI::App& program);  // in the order of --help

// The words of "a|b|c"; none when the value is no choice.
std::vector<std::string> choices(const std::string& value);

}  // namespace wafersim::manual
