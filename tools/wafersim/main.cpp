// The wafersim program. Exit codes: 0 good, otherwise sim::exit_code of the error (2 for what the command line itself gets wrong).

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fmt/format.h>
#include <malloc.h>
#include <string>
#include <vector>

#include "sim/error.h"
#include "tools/trainer/guard.h"
#include "tools/trainer/provenance.h"
#include "tools/wafersim/command.h"
#include "tools/wafersim/compare_command.h"
#include "tools/wafersim/completion_command.h"
#include "tools/wafersim/manual_command.h"
#include "tools/wafersim/plan_command.h"
#include "tools/wafersim/presets_command.h"
#include "tools/wafersim/run_command.h"
#include "tools/wafersim/sweep_command.h"
#include "tools/wafersim/traffic_command.h"

namespace wafersim::tools {
namespace {

int wafersim(int argc, const char* const* argv) {
  CLI::App program("A simulator of wafer-scale hardware that trains transformers", "wafersim");
  program.set_version_flag("--version", "wafersim " + version());
  program.require_subcommand(0, 1);
  program.footer(
      "First steps: wafersim plan main, then wafersim run main --steps 5\n\n"
      "Files:\n"
      "  runs/NAME             what a run leaves (wafersim run --help)\n"
      "  ~/.cache/wafersim     samples of kernels, which runs share; may be removed at any time\n\n"
      "Environment: XDG_CACHE_HOME stands for ~/.cache; a sweep's task reads SLURM_ARRAY_TASK_ID.\n\n"
      "Exit codes: 0 good; 1 a figure differs (compare) or a point failed (sweep); 2 bad input; 3 the machine cannot run the plan;\n"
      "4 the simulated machine stalled; 5 an error of the program's own; 6 results could not be written; 130, 143 ended by SIGINT, "
      "SIGTERM.\n"
      "Messages go to standard error, results to standard output.");
  const std::vector<Command> commands = {
      run_command(program),     sweep_command(program),   plan_command(program),       compare_command(program),
      presets_command(program), traffic_command(program), completion_command(program), manual_command(program),
  };
  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help or --version
    return program.exit(asked);
  } catch (const CLI::ParseError& error) {
    const std::vector<CLI::App*> asked = program.get_subcommands();
    const std::string command = asked.empty() ? "" : asked.front()->get_name() + " ";
    fmt::print(stderr, "wafersim: config error: {} (see wafersim {}--help)\n", error.what(), command);
    return sim::exit_code(sim::ErrorCategory::config);
  }
  for (const Command& command : commands) {
    if (command.arguments->parsed()) return command.run();
  }
  throw sim::Error(sim::ErrorCategory::config, "no subcommand given (see wafersim --help)");
}

}  // namespace
}  // namespace wafersim::tools

int main(int argc, char** argv) {
  using namespace wafersim;
  // The tensors of a step come and go: what one step frees is there for the next, no page of it new.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  return tools::guarded([&] { return tools::wafersim(argc, argv); });
}
