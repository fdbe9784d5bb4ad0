#pragma once
// wafersim presets: the configurations, models and machines that the program carries, or the JSON of one of them.

#include "tools/wafersim/command.h"

namespace wafersim::tools {

Command presets_command(CLI::App& program);

}  // namespace wafersim::tools
