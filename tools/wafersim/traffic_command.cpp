#include "tools/wafersim/traffic_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "fabric/traffic.h"
#include "fabric/xy_network.h"
#include "tools/trainer/provenance.h"
#include "tools/wafersim/columns_by_rows.h"
#include "tools/wafersim/standard_output.h"

namespace wafersim::tools {
namespace {

struct Options {
  std::string mesh;
  std::string pattern;
  fabric::TrafficSpec traffic;
  bool json = false;
};

nlohmann::ordered_json config_of(const fabric::FabricSpec& mesh, const fabric::TrafficSpec& traffic) {
  return {{"mesh", {mesh.width, mesh.height}},
          {"pattern", name(traffic.pattern)},
          {"load", traffic.load},
          {"cycles", traffic.measured_cycles},
          {"warmup", traffic.warmup_cycles},
          {"seed", traffic.seed},
          {"ramp_cycles", mesh.ramp_cycles},
          {"router_queue_words", mesh.router_queue_words}};
}

nlohmann::ordered_json results_of(const fabric::FabricSpec& mesh, const fabric::TrafficStatistics& result, double host_seconds) {
  const double routers = static_cast<double>(mesh.width) * mesh.height;
  return {{"simulated_cycles", result.cycles},
          {"injected", result.injected},
          {"delivered", result.delivered},
          {"measured", result.measured},
          {"offered_flits_per_node_cycle", result.offered},
          {"accepted_flits_per_node_cycle", result.accepted},
          {"mean_latency_cycles", result.mean_latency},
          {"p50_latency_cycles", result.p50_latency},
          {"p95_latency_cycles", result.p95_latency},
          {"p99_latency_cycles", result.p99_latency},
          {"mean_hops", result.mean_hops},
          {"flit_hops", result.flit_hops},
          {"host_seconds", host_seconds},
          {"router_cycles_per_second", routers * static_cast<double>(result.cycles) / host_seconds},
          {"flit_hops_per_second", static_cast<double>(result.flit_hops) / host_seconds}};
}

std::string table(const nlohmann::ordered_json& values) {
  std::string text;
  for (const auto& [key, value] : values.items()) {
    const std::string shown = value.is_number_float() ? fmt::format("{:.6g}", value.get<double>())
                              : value.is_string()     ? value.get<std::string>()
                              : value.is_object()     ? value["version"].get<std::string>()
                              : value.is_array()      ? fmt::format("{}x{}", value[0].get<int>(), value[1].get<int>())
                                                      : value.dump();
    text += fmt::format("{:<30} {:>16}\n", key, shown);
  }
  return text;
}

int run(Options& options) {
  using Clock = std::chrono::steady_clock;
  const ColumnsByRows size = parse_columns_by_rows("--mesh", options.mesh, fabric::XyNetwork::max_side, "32x32");
  fabric::FabricSpec mesh;
  mesh.width = size.columns;
  mesh.height = size.rows;
  options.traffic.pattern = fabric::traffic_pattern(options.pattern);
  const Clock::time_point start = Clock::now();
  const fabric::TrafficStatistics result = fabric::run_traffic(mesh, options.traffic);
  const double host_seconds = std::max(1e-9, std::chrono::duration<double>(Clock::now() - start).count());
  const nlohmann::ordered_json config = config_of(mesh, options.traffic);
  nlohmann::ordered_json values = config;
  values.update(results_of(mesh, result, host_seconds));
  values["provenance"] = provenance(config_digest(config), options.traffic.seed);
  print_standard_output(options.json ? values.dump(2) + "\n" : table(values));
  return 0;
}

}  // namespace

Command traffic_command(CLI::App& program) {
  const auto options = std::make_shared<Options>();
  std::string patterns;
  for (const fabric::TrafficPattern pattern : fabric::traffic_patterns())
    patterns += (patterns.empty() ? "" : "|") + std::string(name(pattern));

  CLI::App* traffic = program.add_subcommand("traffic", "Synthetic traffic on a mesh of dimension-ordered (XY) routers");
  traffic->add_option("--mesh", options->mesh, "Columns x rows, as in 32x32")->required()->type_name("WxH");
  traffic->add_option("--pattern", options->pattern, "Where each node sends its flits")->required()->type_name(patterns);
  traffic->add_option("--load", options->traffic.load, "Flits a node gives birth to in a cycle, above 0 and up to 1")
      ->required()
      ->type_name("L");
  traffic->add_option("--cycles", options->traffic.measured_cycles, "Measured cycles, after the warm-up and before the drain")
      ->required()
      ->type_name("N");
  traffic->add_option("--warmup", options->traffic.warmup_cycles, "Cycles before the measurement")->capture_default_str()->type_name("N");
  traffic->add_option("--seed", options->traffic.seed, "Of the random numbers; the same seed gives the same results")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str()
      ->type_name("S");
  traffic->add_flag("--json", options->json, "Print one JSON object instead of a table");
  traffic->footer(
      "Examples:\n  wafersim traffic --mesh 32x32 --pattern uniform --load 0.05 --cycles 10000\n\nExit codes: 0 good, 2 bad input.");
  return {traffic, [options] { return run(*options); }};
}

}  // namespace wafersim::tools
