#pragma once
// wafersim manual: the manual page of the program or of a subcommand, as man(1) reads it.

#include "tools/wafersim/command.h"

namespace wafersim::tools {

Command manual_command(CLI::App& program);

}  // namespace wafersim::tools
