#pragma once
// wafersim plan: what a run would execute, without simulating it: mapping, padding, memory of a PE, stream traffic, kernel calls, bound.
// Tables, or one JSON object with --json, on stdout.

#include "tools/wafersim/command.h"

namespace wafersim::tools {

Command plan_command(CLI::App& program);

}  // namespace wafersim::tools
