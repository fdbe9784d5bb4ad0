#pragma once
// wafersim completion bash: the script with which bash completes the program's commands, options, presets, keys and files.

#include "tools/wafersim/command.h"

namespace wafersim::tools {

// After all other subcommands, of which the script speaks too.
Command completion_command(CLI::App& program);

}  // namespace wafersim::tools
