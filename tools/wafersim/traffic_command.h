#pragma once
// wafersim traffic: synthetic traffic on a mesh of XY routers (fabric/traffic.h). A table, or one JSON object with --json, on stdout.

#include "tools/wafersim/command.h"

namespace wafersim::tools {

Command traffic_command(CLI::App& program);

}  // namespace wafersim::tools
