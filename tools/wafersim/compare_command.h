#pragma once
// wafersim compare: two runs, two sweeps, or a run and a golden, figure by figure.

#include "tools/wafersim/command.h"

namespace wafersim::tools {

Command compare_command(CLI::App& program);

}  // namespace wafersim::tools
