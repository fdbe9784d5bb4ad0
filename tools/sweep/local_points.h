#pragma once
// Points run as processes of this host, each `wafersim run configs/ID.json --no-trace`, several at a time.

#include <string>
#include <vector>

#include "tools/sweep/sweep_directory.h"

namespace wafersim::tools {

struct LocalOptions {
  int jobs = 1;       // processes at a time
  std::string cache;  // --cache of `wafersim run`; empty: its default
};

// Runs the points that are not finished and writes their results, each once it has ended; a failing one does not stop the others. What
// another process is running is waited for, and run here should that process end without a result. SIGINT and SIGTERM end the points and
// are returned; 0 otherwise. Error(output) when a result cannot be written; results written before stay.
// REQUIRES one thread.
int run_points(const SweepDirectory& directory, const std::vector<SweepPoint>& points, const LocalOptions& options);

}  // namespace wafersim::tools
