#include "tools/wafersim/compare_command.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "sim/atomic_file.h"
#include "sim/error.h"
#include "sim/json_file.h"
#include "tools/compare/compare_sources.h"
#include "tools/compare/comparison_text.h"
#include "tools/compare/golden.h"
#include "tools/wafersim/standard_output.h"

namespace wafersim::tools {
namespace {

namespace fs = std::filesystem;

constexpr int different = 1;

struct Options {
  std::string a, b;
  std::vector<std::string> tolerances, ignored;
  std::size_t rows = 40;
  bool json = false;
  bool update = false;
};

std::vector<compare::Tolerance> tolerances(const Options& options) {
  std::vector<compare::Tolerance> out;
  for (const std::string& text : options.tolerances) out.push_back(compare::parse_tolerance(text));
  for (const std::string& key : options.ignored) out.push_back({key, std::numeric_limits<double>::infinity()});
  return out;
}

std::string configs_text(const compare::Comparison& configs) {
  std::string text;
  const auto value = [](const std::optional<nlohmann::json>& v) { return v ? sim::printable_json(*v) : std::string("not given"); };
  for (const compare::Difference& d : configs.differences) text += fmt::format("config {}: {} -> {}\n", d.key, value(d.a), value(d.b));
  return text;
}

void write_golden(const fs::path& path, const compare::Source& run) {
  const nlohmann::json& report = run.trees.at("");
  nlohmann::json golden = {{"golden", 1}, {"figures", compare::golden_of(report)}};
  if (report.contains("provenance")) {
    golden["provenance"] = report["provenance"];
    golden["provenance"].erase("host");
  }
  sim::write_file_atomically(path, compare::golden_text(golden));
}

int run(const Options& options) {
  const compare::Source b = compare::read_source(options.b);
  if (options.update && b.kind != compare::Kind::run)
    throw sim::Error(sim::ErrorCategory::config, fmt::format("--update: {} is no run; a golden is made of a run's directory", options.b));
  if (options.update && !fs::exists(options.a)) {
    write_golden(options.a, b);
    print_standard_output(fmt::format("{}: new\n", options.a));
    return 0;
  }
  const compare::Source a = compare::read_source(options.a);
  if (options.update && a.kind != compare::Kind::golden)
    throw sim::Error(sim::ErrorCategory::config, fmt::format("--update: {} is no golden; only goldens are re-made", options.a));
  const compare::Comparison comparison = compare::compare_sources(a, b, tolerances(options));
  print_standard_output(options.json ? compare::comparison_json(comparison, a, b).dump(2) + "\n"
                                     : configs_text(compare::compare_configs(a, b)) + compare::comparison_text(comparison, options.rows));
  if (options.update) {
    if (!comparison.differences.empty()) write_golden(options.a, b);
    return 0;
  }
  return comparison.beyond() == 0 ? 0 : different;
}

}  // namespace

Command compare_command(CLI::App& program) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand("compare", "What moved between two runs, two sweeps, or a golden and a run, figure by figure");
  command->add_option("A", options->a, "Before: directory of a run or a sweep, or a golden (file)")->required();
  command->add_option("B", options->b, "After: the same")->required();
  command
      ->add_option(
          "--tolerance", options->tolerances,
          "What a figure, or all below a key, may differ by, relative to the larger, as in step=1e-3 or 'breakdown.*.cycles=0.01'; "
          "the last that names a figure holds; default: nothing")
      ->type_name("KEY=RELATIVE")
      ->allow_extra_args(false);
  command->add_option("--ignore", options->ignored, "Not to compare a figure, or all below a key; host figures never are")
      ->type_name("KEY")
      ->allow_extra_args(false);
  command->add_option("--rows", options->rows, "Figures in the table")
      ->capture_default_str()
      ->type_name("N")
      ->check(CLI::Range(0, 1 << 20));
  command->add_flag("--json", options->json, "Print one JSON object with all of them instead");
  command->add_flag("--update", options->update, "Show what moved, then make the golden A anew of the run B; exit code 0");
  command->footer(
      "Examples:\n  wafersim compare runs/before runs/after --tolerance step=0.01\n  wafersim compare run.golden.json runs/main "
      "--update\n\nExit codes: 0 equal, or within the tolerances; 1 a figure differs beyond its own; 2 bad input.");
  return {command, [options] { return run(*options); }};
}

}  // namespace wafersim::tools
