#include "tools/wafersim/plan_command.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "tools/trainer/prepared_run.h"
#include "tools/wafersim/config_arguments.h"
#include "tools/wafersim/largest_report.h"
#include "tools/wafersim/plan_report.h"
#include "tools/wafersim/standard_output.h"
#include "workloads/mapping.h"

namespace wafersim::tools {
namespace {

struct Options {
  ConfigArguments config;
  bool json = false;
  bool full = false;
  bool largest = false;
};

int run(const Options& options) {
  const workloads::RunSpec spec = read_run_spec(options.config);
  if (options.largest) {
    const nlohmann::ordered_json largest = largest_to_json(spec);
    print_standard_output(options.json ? largest.dump(2) + "\n" : largest_to_text(largest));
    return 0;
  }
  check_store(spec);
  const nlohmann::ordered_json plan = plan_to_json(spec, workloads::choose_mapping(spec, spec.model.shape, spec.machine));
  print_standard_output(options.json ? plan.dump(2) + "\n" : plan_to_text(plan, options.full));
  return 0;
}

}  // namespace

Command plan_command(CLI::App& program) {
  const auto options = std::make_shared<Options>();
  CLI::App* plan =
      program.add_subcommand("plan", "The mapping of a run, a PE's memory, stream traffic, kernel calls and the bound; simulates nothing");
  add_config_arguments(*plan, options->config);
  plan->add_flag("--full", options->full, "List every array of a PE's memory and every kernel call, those of alike layers too");
  plan->add_flag("--largest", options->largest, "Instead, the largest batch and the longest sequence that the machine holds");
  plan->add_flag("--json", options->json, "Print one JSON object instead of tables");
  plan->footer(
      "Examples:\n  wafersim plan main --set mapping.lanes=2\n  wafersim plan gptj-6b-cs2 --largest\n\n"
      "Exit codes: 0 good, 2 bad input, 3 the machine cannot run the plan.");
  return {plan, [options] { return run(*options); }};
}

}  // namespace wafersim::tools
