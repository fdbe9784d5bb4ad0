#pragma once
// wafersim presets: the configurations, sweeps, models and machines that the program carries, or one of them: of a machine every number
// with its unit and source.

#include "tools/wafersim/command.h"

namespace wafersim::tools {

Command presets_command(CLI::App& program);

}  // namespace wafersim::tools
