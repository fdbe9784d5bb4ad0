#pragma once
// A script for bash that completes a program's subcommands, options and their values. It needs bash alone, no package.

#include <map>
#include <string>
#include <vector>

#include "tools/manual/command_help.h"

namespace wafersim::manual {

// What may stand where an option's value, or a positional argument, is named so ("DIR", "CONFIG").
struct Values {
  std::vector<std::string> words;
  enum class Kind { words, words_or_files, directories, keys } kind = Kind::words;  // keys: words that '=' and a file's name follow
};

// Choices ("a|b") need no entry in `values`; what has none and is no choice is the user's own. Words are of letters, digits and "-_.".
std::string bash_completion(const CommandHelp& program, const std::vector<CommandHelp>& commands,
                            const std::map<std::string, Values>& values);

}  // namespace wafersim::manual
