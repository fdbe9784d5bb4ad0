#include "tools/wafersim/run_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "sim/atomic_file.h"
#include "sim/error.h"
#include "tools/trainer/checkpoint.h"
#include "tools/trainer/interruption.h"
#include "tools/trainer/progress.h"
#include "tools/trainer/provenance.h"
#include "tools/trainer/report.h"
#include "tools/trainer/run_directory.h"
#include "tools/trainer/tables.h"
#include "tools/trainer/trace.h"
#include "tools/trainer/trace_file.h"
#include "tools/trainer/weights.h"
#include "tools/wafersim/columns_by_rows.h"
#include "tools/wafersim/config_arguments.h"
#include "tools/wafersim/standard_output.h"

namespace wafersim::tools {
namespace {

namespace fs = std::filesystem;

struct Options {
  ConfigArguments config;
  std::string out, steps, fidelity, threads, cache;
  std::string trace_window, trace_layers, trace_limit, vcd;
  std::string block = "16x16";
  int checkpoint_every = 0;
  bool resume = false;
  bool json = false;
  bool sensitivity = false;
};

workloads::RunSpec read_spec(const Options& options) {
  std::vector<sim::Override> further;
  const auto add = [&](const char* key, const char* option, const std::string& value) {
    if (!value.empty()) further.push_back({key, value, fmt::format("{} {}", option, value)});
  };
  add("training.steps", "--steps", options.steps);
  add("fidelity", "--fidelity", options.fidelity);
  add("threads", "--threads", options.threads);
  return read_run_spec(options.config, further);
}

// Where samples are kept: --cache, else the user's cache directory; "none" is nowhere.
fs::path cache_directory(const Options& options) {
  if (!options.cache.empty()) return options.cache == "none" ? fs::path() : fs::path(options.cache);
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0') return fs::path(cache) / "wafersim";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') return fs::path(home) / ".cache" / "wafersim";
  return {};
}

// runs/NAME: of the preset or the file; of a run directory's config.json the directory's.
fs::path default_directory(const std::string& config) {
  const fs::path path = fs::absolute(config);
  const std::string stem = path.stem().string();
  return fs::path("runs") / (stem == "config" && path.has_parent_path() ? path.parent_path().filename() : fs::path(stem));
}

std::vector<RunDirectory::File> result_files(const PreparedRun& run, const RunResult& result, const nlohmann::ordered_json& report,
                                             const TraceFile& trace) {
  const double clock = run.spec.machine.core.clock;
  std::vector<RunDirectory::File> files = {{"config.json", config_text(run.spec)},
                                           {"report.json", report.dump(2) + "\n"},
                                           {"report.txt", report_text(report)},
                                           {"steps.csv", steps_csv(result, clock, run.spec.numerics)},
                                           {"trace.json", "", trace.path()}};
  if (run.plan) files.push_back({"heatmap.csv", heatmap_csv(result, *run.plan)});
  return files;
}

// Thrown when a checkpoint is written because a signal asked for it.
struct Interrupted {
  int signal, steps;
};

class Keeper : public CheckpointKeeper {
 public:
  Keeper(const CheckpointFile& file, TraceFile& trace, const RunDirectory& directory, int every, Interruption& interruption)
      : file_(file), trace_(trace), directory_(directory), every_(every), interruption_(interruption) {}

  void begin_steps() override { interruption_.finish_steps(true); }
  bool wants(int steps) override { return interruption_.asked() != 0 || (every_ > 0 && steps % every_ == 0); }
  void keep(const Checkpoint& checkpoint) override {
    const auto held = interruption_.hold();
    Checkpoint whole = checkpoint;
    whole.trace = trace_.keep(file_.trace_part());
    file_.write(whole);
    trace_.kept();
    interruption_.remove_when_interrupted(directory_.made());
    if (interruption_.asked() != 0) throw Interrupted{interruption_.asked(), checkpoint.steps};
  }
  void end_steps() override { interruption_.finish_steps(false); }

 private:
  const CheckpointFile& file_;
  TraceFile& trace_;
  const RunDirectory& directory_;
  int every_;
  Interruption& interruption_;
};

void check_vcd(const Options& options, const workloads::RunSpec& spec) {
  const auto refuse = [&](const std::string& why) {
    throw sim::Error(sim::ErrorCategory::unsupported, fmt::format("--vcd {}: {}", options.vcd, why));
  };
  if (spec.fidelity != workloads::Fidelity::wavelet)
    refuse("PEs are not simulated one by one in a sampled run; it needs fidelity = wavelet");
  if (options.resume || options.checkpoint_every > 0)
    refuse("a dump cannot go on from a checkpoint; leave out --resume and --checkpoint-every, and choose steps with --trace-window");
}

void check_vcd_size(const Options& options, std::uint64_t pes) {
  if (pes > static_cast<std::uint64_t>(MeshVcd::most_pes))
    throw sim::Error(
        sim::ErrorCategory::unsupported,
        fmt::format("--vcd {}: the run has {} PEs, a dump shows at most {}; choose a smaller mesh (fabric.width, fabric.height or "
                    "mapping.rectangle)",
                    options.vcd, pes, MeshVcd::most_pes));
}

// The file of --vcd and what writes it.
class VcdFile {
 public:
  VcdFile(const fs::path& path, double clock) : vcd_(clock, [this](std::string_view text) { file_->write(text); }) {
    { const sim::AtomicFile trial(path, sim::ErrorCategory::config); }  // a wrong name is bad input, a full disk later is not
    file_.emplace(path);
  }
  MeshVcd& vcd() { return vcd_; }
  const fs::path& temporary() const { return file_->temporary(); }
  void commit() { file_->commit(); }

 private:
  std::optional<sim::AtomicFile> file_;
  MeshVcd vcd_;
};

std::vector<fs::path> with(const fs::path& first, std::vector<fs::path> others) {
  others.insert(others.begin(), first);
  return others;
}

// What a run starts from, which it says.
std::optional<Checkpoint> starting_point(const CheckpointFile& file, bool resume) {
  if (!resume) {
    if (fs::exists(file.path()))
      fmt::print(stderr, "{} of an earlier run goes when this one has ended (--resume would go on from it)\n", file.path().string());
    return std::nullopt;
  }
  std::optional<Checkpoint> checkpoint = file.read();
  if (checkpoint)
    fmt::print(stderr, "goes on after step {} from {}\n", checkpoint->steps, file.path().string());
  else
    fmt::print(stderr, "no {}: starts with the first step\n", file.path().string());
  return checkpoint;
}

int run(const Options& options) {
  Interruption interruption;
  const TraceOptions shown = parse_trace_options(options.trace_window, options.trace_layers, options.trace_limit);
  const ColumnsByRows block = parse_columns_by_rows("--block", options.block, 4096, "16x16");
  const workloads::RunSpec spec = read_spec(options);
  check_trace_options(shown, spec.training.steps, spec.model.shape.layers);
  if (!options.vcd.empty()) check_vcd(options, spec);
  EngineOptions engine{block.columns, block.rows, cache_directory(options), {}, {}, nullptr, nullptr, nullptr, 0, 0};
  if (options.sensitivity) {
    if (spec.fidelity != workloads::Fidelity::sampled)
      throw sim::Error(sim::ErrorCategory::unsupported, "--sensitivity: steps are simulated again and again; it needs fidelity = sampled");
    engine.sensitivity = [](const std::string& key) { fmt::print(stderr, "sensitivity to {}\n", key); };
  }
  const fs::path place = options.out.empty() ? default_directory(options.config.config) : fs::path(options.out);
  auto held = interruption.hold();
  const RunDirectory directory(place, spec.final_weights);
  interruption.remove_when_interrupted(directory.made());
  held.unlock();

  const PreparedRun prepared = prepare_run(spec);
  const CheckpointFile checkpoint(place, prepared, options.block, shown);
  if (spec.numerics) engine.from = starting_point(checkpoint, options.resume);
  held.lock();
  TraceFile trace_file(place, engine.from ? engine.from->trace : std::nullopt);
  std::vector<fs::path> unfinished = directory.made();
  if (!engine.from) unfinished = with(trace_file.path(), unfinished);
  std::optional<VcdFile> vcd;
  if (!options.vcd.empty()) {
    check_vcd_size(options, prepared.pes());
    vcd.emplace(options.vcd, spec.machine.core.clock);
    unfinished = with(vcd->temporary(), unfinished);
    engine.vcd = &vcd->vcd();
    engine.vcd_first = shown.first_step;
    engine.vcd_last = std::min(shown.last_step, spec.training.steps - 1);
  }
  interruption.remove_when_interrupted(unfinished);
  held.unlock();
  Trace trace(trace_plan(prepared), shown, [&](std::string_view bytes) { trace_file.write(bytes); });
  engine.trace = &trace;
  Keeper keeper(checkpoint, trace_file, directory, options.checkpoint_every, interruption);
  if (spec.numerics) engine.keeper = &keeper;
  Progress progress(spec.training.steps, spec.machine.core.clock, spec.numerics, engine.from ? engine.from->steps : 0);
  held.lock();
  interruption.tell([&] { return progress.status(); });
  held.unlock();
  const auto end_progress = [&] {
    progress.end();
    held.lock();
    interruption.tell(nullptr);
    held.unlock();
  };
  std::optional<RunResult> trained;
  try {
    trained = train(prepared, engine, [&](int step, const StepRecord& record) { progress.after_step(step, record); });
  } catch (const Interrupted& interrupted) {
    end_progress();
    fmt::print(stderr, "wafersim: ended by {} after step {}; {} holds it: the same command with --resume{} goes on\n",
               signal_name(interrupted.signal), interrupted.steps, checkpoint.path().string(), vcd ? " and without --vcd" : "");
    return 128 + interrupted.signal;
  } catch (...) {
    end_progress();  // which no signal may ask any more
    throw;
  }
  end_progress();
  const RunResult& result = *trained;
  trace.finish();
  nlohmann::ordered_json report = make_report(prepared, result);
  report["trace_file"] = trace.summary();
  const std::vector<RunDirectory::File> files = result_files(prepared, result, report, trace_file);

  held.lock();
  if (!spec.final_weights.empty()) save_weights(spec.final_weights, *result.store);
  if (vcd) vcd->commit();
  directory.write(files);
  checkpoint.remove();  // the run is over
  std::string names;
  for (const RunDirectory::File& file : files) names += " " + file.name;
  const std::string paths = fmt::format("{:<12} {}:{}\n", "files", place.string(), names);
  const std::string table = report.contains("sensitivity") ? "\n" + sensitivity_text(report["sensitivity"]) : "";
  print_standard_output(options.json ? report.dump(2) + "\n" : summary_text(report) + host_text(report) + paths + table);
  return 0;
}

}  // namespace

Command run_command(CLI::App& program) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand("run", "Train a model on simulated wafers, wavelet by wavelet or with sampled kernels");
  add_config_arguments(*command, options->config);
  command
      ->add_option(
          "--out", options->out,
          "Run directory: config.json, report.json, report.txt, steps.csv, trace.json, and heatmap.csv with wavelets; default runs/NAME "
          "of CONFIG")
      ->type_name("DIR");
  command->add_option("--steps", options->steps, "Training steps, instead of training.steps")->type_name("N");
  command
      ->add_option("--fidelity", options->fidelity,
                   "wavelet: every wavelet, every cycle; sampled: kernels timed on small meshes, for whole wafers; instead of fidelity")
      ->type_name("wavelet|sampled");
  command->add_option("--threads", options->threads, "Host threads that step the mesh, instead of threads; changes no result")
      ->type_name("N");
  command->add_option("--block", options->block, "Engine setting: PEs in one SystemC module; changes no result")
      ->capture_default_str()
      ->type_name("WxH");
  command
      ->add_option("--cache", options->cache,
                   "Engine setting: where kernels' samples are kept between runs, or none; changes no result; default wafersim in "
                   "$XDG_CACHE_HOME or ~/.cache")
      ->type_name("DIR");
  command
      ->add_option("--checkpoint-every", options->checkpoint_every,
                   "Write checkpoint.bin into the run directory after every N steps; changes no result (needs numerics)")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  command->add_flag("--resume", options->resume,
                    "Go on from the run directory's checkpoint.bin: the results have the bytes of a run that was never stopped");
  command
      ->add_option("--trace-window", options->trace_window,
                   "Steps that trace.json shows, the first and the last, as steps.csv numbers them: 3, 2:5, 2: or :5; default all")
      ->type_name("FROM:TO");
  command
      ->add_option("--trace-layers", options->trace_layers,
                   "Layers that it shows: 0-3,7; none stands for what is of no layer (embedding, loss); default all")
      ->type_name("LIST");
  command
      ->add_option("--trace-limit", options->trace_limit,
                   "Bytes that it is not longer than: steps that do not fit are left out, the last one as far as it fits; default 8 MB")
      ->type_name("SIZE");
  command
      ->add_option("--vcd", options->vcd,
                   "Also write what every PE and router does in every cycle of the steps of --trace-window, a value change dump for "
                   "GTKWave and the like (wavelet, at most 64 PEs; of several systems the first)")
      ->type_name("FILE");
  command->add_flag("--sensitivity", options->sensitivity,
                    "Also simulate the step with each bounding or assumed number of the machine halved and half as large again (sampled)");
  command->add_flag("--json", options->json, "Print report.json instead of the summary");
  command->footer(
      "Examples:\n"
      "  wafersim run main --steps 5 --set core.clock='1.1 GHz'\n"
      "  wafersim run gptj-6b-cs2 --sensitivity\n"
      "  wafersim run runs/main/config.json --out runs/again\n\n"
      "Files of the run directory:\n"
      "  config.json      the complete configuration, which runs again to the same bytes\n"
      "  report.json      every figure, what made it, and what is assumed\n"
      "  report.txt       the summary and where the cycles went\n"
      "  steps.csv        step, loss, gradient norm, rate, loss scale, skipped, cycles, seconds\n"
      "  trace.json       the run on a time axis, for Perfetto\n"
      "  heatmap.csv      PE by PE: busy, stalls by cause, words sent (wavelet runs)\n"
      "  checkpoint.bin   while a run that writes checkpoints is not over\n\n"
      "Exit codes: 0 good, 2 bad input or an output that cannot be written, 3 the machine cannot run the plan, 4 the simulated machine\n"
      "stalled, 5 internal error, 6 results could not be written, 130 and 143 after SIGINT and SIGTERM, which finish the step and write a\n"
      "checkpoint (a second one ends the run at once). SIGUSR1 prints how far the run is.");
  return {command, [options] { return run(*options); }};
}

}  // namespace wafersim::tools
