#include "tools/wafersim/run_options.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <fmt/format.h>
#include <vector>

namespace wafersim::tools {
namespace {

namespace fs = std::filesystem;

}  // namespace

void add_run_options(CLI::App& command, RunOptions& options) {
  add_config_arguments(command, options.config);
  command
      .add_option(
          "--out", options.out,
          "Run directory: config.json, report.json, report.txt, steps.csv, trace.json, and heatmap.csv with wavelets; default runs/NAME "
          "of CONFIG")
      ->type_name("DIR");
  command.add_option("--steps", options.steps, "Training steps, instead of training.steps")->type_name("N");
  command
      .add_option("--fidelity", options.fidelity,
                  "wavelet: every wavelet, every cycle; sampled: kernels timed on small meshes, for whole wafers; instead of fidelity")
      ->type_name("wavelet|sampled");
  command.add_option("--threads", options.threads, "Host threads that step the mesh, instead of threads; changes no result")
      ->type_name("N");
  command.add_option("--block", options.block, "Engine setting: PEs in one SystemC module; changes no result")
      ->capture_default_str()
      ->type_name("WxH");
  command
      .add_option("--cache", options.cache,
                  "Engine setting: where kernels' samples are kept between runs, or none; changes no result; default wafersim in "
                  "$XDG_CACHE_HOME or ~/.cache")
      ->type_name("DIR");
  command
      .add_option("--checkpoint-every", options.checkpoint_every,
                  "Write checkpoint.bin into the run directory after every N steps; changes no result (needs numerics)")
      ->type_name("N")
      ->check(CLI::Range(1, 1 << 20));
  command.add_flag("--resume", options.resume,
                   "Go on from the run directory's checkpoint.bin: the results have the bytes of a run that was never stopped");
  command
      .add_option("--trace-window", options.trace_window,
                  "Steps that trace.json shows, the first and the last, as steps.csv numbers them: 3, 2:5, 2: or :5; default all")
      ->type_name("FROM:TO");
  command
      .add_option("--trace-layers", options.trace_layers,
                  "Layers that it shows: 0-3,7; none stands for what is of no layer (embedding, loss); default all")
      ->type_name("LIST");
  command
      .add_option("--trace-limit", options.trace_limit,
                  "Bytes that it is not longer than: steps that do not fit are left out, the last one as far as it fits; default 8 MB")
      ->type_name("SIZE");
  command.add_flag("--no-trace", options.no_trace, "Leave no trace.json; changes no other result (points of sweeps leave none)")
      ->excludes("--trace-layers")
      ->excludes("--trace-limit");
  command
      .add_option("--vcd", options.vcd,
                  "Also write what every PE and router does in every cycle of the steps of --trace-window, a value change dump for "
                  "GTKWave and the like (wavelet, at most 64 PEs; of several systems the first)")
      ->type_name("FILE");
  command.add_flag("--sensitivity", options.sensitivity,
                   "Also simulate the step with each bounding or assumed number of the machine halved and half as large again (sampled)");
  command.add_flag("--json", options.json, "Print report.json instead of the summary");
  command.footer(
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
}

workloads::RunSpec read_run_spec(const RunOptions& options) {
  std::vector<sim::Override> further;
  const auto add = [&](const char* key, const char* option, const std::string& value) {
    if (!value.empty()) further.push_back({key, value, fmt::format("{} {}", option, value)});
  };
  add("training.steps", "--steps", options.steps);
  add("fidelity", "--fidelity", options.fidelity);
  add("threads", "--threads", options.threads);
  return read_run_spec(options.config, further);
}

fs::path place_of(const RunOptions& options) {
  if (!options.out.empty()) return options.out;
  const fs::path path = fs::absolute(options.config.config);
  const std::string stem = path.stem().string();
  return fs::path("runs") / (stem == "config" && path.has_parent_path() ? path.parent_path().filename() : fs::path(stem));
}

fs::path cache_of(const RunOptions& options) {
  if (!options.cache.empty()) return options.cache == "none" ? fs::path() : fs::path(options.cache);
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0') return fs::path(cache) / "wafersim";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') return fs::path(home) / ".cache" / "wafersim";
  return {};
}

}  // namespace wafersim::tools
