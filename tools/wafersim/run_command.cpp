#include "tools/wafersim/run_command.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "sim/error.h"
#include "tools/trainer/interruption.h"
#include "tools/trainer/progress.h"
#include "tools/trainer/provenance.h"
#include "tools/trainer/report.h"
#include "tools/trainer/run_directory.h"
#include "tools/trainer/tables.h"
#include "tools/trainer/weights.h"
#include "tools/wafersim/columns_by_rows.h"
#include "tools/wafersim/run_options.h"
#include "tools/wafersim/run_outputs.h"
#include "tools/wafersim/standard_output.h"

namespace wafersim::tools {
namespace {

namespace fs = std::filesystem;

TraceOptions trace_options(const RunOptions& options) {
  TraceOptions shown = parse_trace_options(options.trace_window, options.trace_layers, options.trace_limit);
  if (options.no_trace) shown.limit = 0;
  return shown;
}

// What this run cannot be asked for.
void check_options(const RunOptions& options, const workloads::RunSpec& spec) {
  const auto refuse = [](const std::string& why) { throw sim::Error(sim::ErrorCategory::unsupported, why); };
  const bool sampled = spec.fidelity == workloads::Fidelity::sampled;
  if (!options.vcd.empty() && sampled)
    refuse(fmt::format("--vcd {}: PEs are not simulated one by one in a sampled run; it needs fidelity = wavelet", options.vcd));
  if (!options.vcd.empty() && (options.resume || options.checkpoint_every > 0))
    refuse(
        fmt::format("--vcd {}: a dump cannot go on from a checkpoint; leave out --resume and --checkpoint-every, and choose steps with "
                    "--trace-window",
                    options.vcd));
  if (options.checkpoint_every > 0 && !spec.numerics)
    refuse(
        fmt::format("--checkpoint-every {}: a run without numbers is simulated in seconds and has no checkpoints; it needs numerics = true",
                    options.checkpoint_every));
  if (options.resume && !spec.numerics) refuse("--resume: a run without numbers has no checkpoints; leave it out, or set numerics = true");
  if (options.sensitivity && !sampled) refuse("--sensitivity: steps are simulated again and again; it needs fidelity = sampled");
}

EngineOptions engine_options(const RunOptions& options, const ColumnsByRows& block) {
  EngineOptions engine;
  engine.block_width = block.columns;
  engine.block_height = block.rows;
  engine.cache = cache_of(options);
  if (options.sensitivity) engine.sensitivity = [](const std::string& key) { fmt::print(stderr, "sensitivity to {}\n", key); };
  return engine;
}

// Says how far it is, after steps and when SIGUSR1 asks.
RunResult train_and_tell(const PreparedRun& run, const EngineOptions& engine, Interruption& interruption) {
  Progress progress(run.spec.training.steps, run.spec.machine.core.clock, run.spec.numerics, engine.from ? engine.from->steps : 0);
  const Interruption::Status status(interruption, [&] { return progress.status(); });
  return train(run, engine, [&](int step, const StepRecord& record) { progress.after_step(step, record); });
}

std::vector<RunDirectory::File> result_files(const PreparedRun& run, const RunResult& result, const nlohmann::ordered_json& report,
                                             const fs::path& trace) {
  const double clock = run.spec.machine.core.clock;
  std::vector<RunDirectory::File> files = {{"config.json", config_text(run.spec)},
                                           {"report.json", report.dump(2) + "\n"},
                                           {"report.txt", report_text(report)},
                                           {"steps.csv", steps_csv(result, clock, run.spec.numerics)}};
  if (!trace.empty()) files.push_back({"trace.json", "", trace});
  if (run.plan) files.push_back({"heatmap.csv", heatmap_csv(result, *run.plan)});
  return files;
}

std::string printed_text(const nlohmann::ordered_json& report, const fs::path& directory, const std::vector<RunDirectory::File>& files) {
  std::string names;
  for (const RunDirectory::File& file : files) names += " " + file.name;
  const std::string table = report.contains("sensitivity") ? "\n" + sensitivity_text(report["sensitivity"]) : "";
  return summary_text(report) + host_text(report) + fmt::format("{:<12} {}:{}\n", "files", directory.string(), names) + table;
}

int run(const RunOptions& options) {
  Interruption interruption;
  const TraceOptions shown = trace_options(options);
  const ColumnsByRows block = parse_columns_by_rows("--block", options.block, 4096, "16x16");
  const workloads::RunSpec spec = read_run_spec(options);
  check_trace_options(shown, spec.training.steps, spec.model.shape.layers);
  check_options(options, spec);

  auto held = interruption.hold();
  const RunDirectory directory(place_of(options), spec.final_weights);
  interruption.remove_when_interrupted(directory.made());
  held.unlock();

  const PreparedRun prepared = prepare_run(spec);
  EngineOptions engine = engine_options(options, block);
  RunOutputs outputs(options, shown, prepared, directory, interruption);
  outputs.connect(engine);
  try {
    const RunResult result = train_and_tell(prepared, engine, interruption);
    nlohmann::ordered_json report = make_report(prepared, result);
    outputs.end_trace(report);
    const std::vector<RunDirectory::File> files = result_files(prepared, result, report, outputs.trace_path());

    held.lock();
    if (!spec.final_weights.empty()) save_weights(spec.final_weights, *result.store);
    outputs.commit(files);
    interruption.end();
    print_standard_output(options.json ? report.dump(2) + "\n" : printed_text(report, directory.path(), files));
    return 0;
  } catch (const Interrupted& interrupted) {
    fmt::print(stderr, "wafersim: {}\n", interrupted.message);
    return 128 + interrupted.signal;
  }
}

}  // namespace

Command run_command(CLI::App& program) {
  const auto options = std::make_shared<RunOptions>();
  CLI::App* command = program.add_subcommand("run", "Train a model on simulated wafers, wavelet by wavelet or with sampled kernels");
  add_run_options(*command, *options);
  return {command, [options] { return run(*options); }};
}

}  // namespace wafersim::tools
