#pragma once
// wafersim sweep: runs the points that a file describes (tools/sweep/sweep_spec.h), here or as a Slurm job array, and leaves their results
// in a directory (tools/sweep/sweep_directory.h). A summary, or it as JSON with --json, on stdout; progress on stderr.

#include "tools/wafersim/command.h"

namespace wafersim::tools {

Command sweep_command(CLI::App& program);

}  // namespace wafersim::tools
