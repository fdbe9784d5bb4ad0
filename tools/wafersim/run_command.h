#pragma once
// wafersim run: trains a model on a simulated wafer and leaves a run directory (tools/trainer/run_directory.h). A summary, or the report's
// JSON with --json, on stdout; progress on stderr.

#include "tools/wafersim/command.h"

namespace wafersim::tools {

Command run_command(CLI::App& program);

}  // namespace wafersim::tools
