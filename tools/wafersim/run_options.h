#pragma once
// The command line of `wafersim run`.

#include <filesystem>
#include <string>

#include "tools/wafersim/config_arguments.h"

namespace wafersim::tools {

struct RunOptions {
  ConfigArguments config;
  std::string out, steps, fidelity, threads, cache;
  std::string trace_window, trace_layers, trace_limit, vcd;
  std::string block = "16x16";
  int checkpoint_every = 0;
  bool resume = false;
  bool no_trace = false;
  bool json = false;
  bool sensitivity = false;
};

// Adds them to the subcommand; `options` must live as long as it.
void add_run_options(CLI::App& command, RunOptions& options);

// The run that CONFIG and the options which stand for keys describe. Errors as of config_arguments.h.
workloads::RunSpec read_run_spec(const RunOptions& options);
// --out, else runs/NAME: of the preset or the file; of a run directory's config.json the directory's.
std::filesystem::path place_of(const RunOptions& options);
// Where samples are kept: --cache, else the user's cache directory; empty: nowhere.
std::filesystem::path cache_of(const RunOptions& options);

}  // namespace wafersim::tools
