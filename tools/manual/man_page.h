#pragma once
// Manual pages, in roff with the macros of man(7).

#include <string>
#include <vector>

#include "tools/manual/command_help.h"

namespace wafersim::manual {

// PROGRAM(1), with its subcommands. version: "0.1.0".
std::string man_page(const CommandHelp& program, const std::vector<CommandHelp>& commands, const std::string& version);
// PROGRAM-COMMAND(1).
std::string man_page_of_command(const CommandHelp& program, const CommandHelp& command, const std::string& version);

}  // namespace wafersim::manual
