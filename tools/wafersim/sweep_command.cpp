#include "tools/wafersim/sweep_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "sim/atomic_file.h"
#include "sim/error.h"
#include "tools/sweep/gather.h"
#include "tools/sweep/local_points.h"
#include "tools/sweep/slurm.h"
#include "tools/wafersim/standard_output.h"

namespace wafersim::tools {
namespace {

constexpr std::size_t failures_shown = 3;
constexpr int some_failed = 1;

struct Options {
  std::string sweep, out, cache;
  int jobs = 0;  // 0: as many as there are cores; one in a Slurm task
  bool json = false;
  bool slurm = false, detach = false, task = false;
  SlurmOptions array;
};

SweepTable write_tables(const SweepDirectory& directory, const std::vector<SweepPoint>& points) {
  SweepTable table = gather(directory, points);
  sim::write_file_atomically(directory.path() / "sweep.csv", to_csv(table));
  write_sqlite(table, directory.path() / "sweep.sqlite");
  return table;
}

int ended_by(int signal) {
  fmt::print(stderr, "wafersim: ended by {}; finished points stay, the same command goes on with the others\n",
             signal == SIGINT ? "SIGINT" : "SIGTERM");
  return 128 + signal;
}

void print_summary(const Options& options, const SweepDirectory& directory, const std::vector<SweepPoint>& points,
                   const SweepTable& table) {
  const std::size_t missing = points.size() - table.good - table.failed;
  if (options.json) {
    const nlohmann::ordered_json summary = {{"points", points.size()},
                                            {"ok", table.good},
                                            {"failed", table.failed},
                                            {"without_result", missing},
                                            {"directory", directory.path().string()}};
    print_standard_output(summary.dump(2) + "\n");
    return;
  }
  std::string text = fmt::format("{:<12} {}: {} ok, {} failed{}\n", "points", points.size(), table.good, table.failed,
                                 missing > 0 ? fmt::format(", {} without a result: the same command runs them", missing) : "");
  std::size_t shown = 0;
  for (std::size_t k = 0; k < points.size() && shown < failures_shown; ++k) {
    if (table.rows[k].back().is_null()) continue;
    text +=
        fmt::format("{:<12} {} ({}): {}\n", "failed", points[k].id, describe(points[k].values), table.rows[k].back().get<std::string>());
    ++shown;
  }
  if (table.failed > shown) text += fmt::format("{:<12} {} more, see sweep.csv\n", "failed", table.failed - shown);
  print_standard_output(text + fmt::format("{:<12} {}: sweep.csv sweep.sqlite points/ configs/\n", "files", options.out));
}

// Of a job array's: points that the task's number gives.
int run_task(const Options& options) {
  const char* number = std::getenv("SLURM_ARRAY_TASK_ID");
  char* end = nullptr;
  const long task = number == nullptr ? -1 : std::strtol(number, &end, 10);
  if (number == nullptr || end == number || *end != '\0' || task < 0 || task > 1 << 30)
    throw sim::Error(sim::ErrorCategory::config, fmt::format("--task: SLURM_ARRAY_TASK_ID is {}; it is for tasks of a Slurm job array",
                                                             number == nullptr ? "not set" : number));
  if (!std::filesystem::exists(std::filesystem::path(options.out) / "sweep.json"))
    throw sim::Error(sim::ErrorCategory::config, options.out + ": holds no sweep.json; wafersim sweep SWEEP --slurm --out DIR writes it");
  const SweepDirectory directory(options.out);
  const std::vector<SweepPoint> points = directory.load();
  const int signal = run_points(directory, points_of_task(points, static_cast<int>(task), options.array.points_per_task),
                                {std::max(1, options.jobs), options.cache});
  if (signal != 0) return ended_by(signal);
  const bool all =
      std::all_of(points.begin(), points.end(), [&](const SweepPoint& point) { return directory.result_of(point).has_value(); });
  if (all) write_tables(directory, points);
  return 0;
}

// Whether the job has been waited for.
bool run_on_slurm(const Options& options, const SweepDirectory& directory, const std::vector<SweepPoint>& points) {
  std::vector<SweepPoint> unreadable = points;
  std::erase_if(unreadable, [](const SweepPoint& point) { return point.readable(); });
  if (!unreadable.empty()) run_points(directory, unreadable, {});
  SlurmOptions array = options.array;
  array.jobs = std::max(1, options.jobs);
  array.cache = options.cache;
  const std::vector<int> tasks = tasks_to_run(directory, points, array.points_per_task);
  if (tasks.empty()) return true;
  const std::string job = submit(directory, job_script(directory, tasks, array));
  fmt::print(stderr, "job {}: {} tasks of at most {} points (scancel {} ends it; the same command goes on)\n", job, tasks.size(),
             array.points_per_task, job);
  if (!options.detach) wait_for_job(directory, points, job);
  return !options.detach;
}

int run(const Options& options) {
  if (options.task) return run_task(options);
  if (options.sweep.empty()) throw sim::Error(sim::ErrorCategory::config, "SWEEP is required (see wafersim sweep --help)");
  const SweepSpec sweep = read_sweep(options.sweep);
  const std::vector<SweepPoint> points = make_points(sweep);
  const SweepDirectory directory(options.out);
  directory.save(sweep.about, points);
  if (options.slurm) {
    if (!run_on_slurm(options, directory, points)) return 0;
  } else {
    const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    const int signal = run_points(directory, points, {options.jobs > 0 ? options.jobs : cores, options.cache});
    if (signal != 0) return ended_by(signal);
  }
  const SweepTable table = write_tables(directory, points);
  print_summary(options, directory, points, table);
  return table.good == points.size() ? 0 : some_failed;
}

}  // namespace

Command sweep_command(CLI::App& program) {
  const auto options = std::make_shared<Options>();
  CLI::App* sweep = program.add_subcommand("sweep", "Run a configuration with every combination of some keys' values, here or on Slurm");
  const CLI::Range several(1, 1 << 20);
  sweep->add_option("SWEEP", options->sweep,
                    "A JSON file: base configuration and axes; or the name of a sweep preset (see wafersim presets)");
  sweep
      ->add_option(
          "--out", options->out,
          "Directory of the results: points/ID.json, configs/ID.json, sweep.csv, sweep.sqlite; points that have one are not run again")
      ->required()
      ->type_name("DIR");
  sweep->add_option("--jobs", options->jobs, "Processes at a time; default: one a core, in a Slurm task one")
      ->check(several)
      ->type_name("N");
  sweep->add_option("--cache", options->cache, "As of wafersim run: where kernels' samples are kept, for all points")->type_name("DIR");
  sweep->add_flag("--json", options->json, "Print the summary as JSON");
  CLI::Option* slurm = sweep->add_flag("--slurm", options->slurm, "As a Slurm job array; DIR is one that all its hosts share");
  const std::string group = "Slurm";
  const auto add = [&](const char* name, std::string& value, const char* text) {
    return sweep->add_option(name, value, text)->needs(slurm)->group(group);
  };
  slurm->group(group);
  add("--partition", options->array.partition, "Where the array runs; default: the cluster's")->type_name("P");
  add("--time", options->array.time, "Limit of a task, as of sbatch")->type_name("T");
  add("--memory", options->array.memory, "Of a task, as of sbatch's --mem")->type_name("M");
  sweep->add_flag("--detach", options->detach, "Return once the array is submitted")->needs(slurm)->group(group);
  sweep->add_option("--points-per-task", options->array.points_per_task, "Points that a task runs")
      ->check(several)
      ->capture_default_str()
      ->type_name("N")
      ->group(group);
  sweep->add_flag("--task", options->task, "What a task of the array runs: points of DIR that SLURM_ARRAY_TASK_ID gives")
      ->excludes(slurm)
      ->group(group);
  sweep->footer(
      "File of a sweep:\n"
      "  { \"base\": \"gptj-6b-cs2\",                  a preset, a path or a configuration\n"
      "    \"set\": {\"training.steps\": 2},           keys as of --set, the same for all points\n"
      "    \"axes\": {                               a value of each makes a point\n"
      "      \"training.batch\": [33, 66],           a list\n"
      "      \"sram.bytes\": {\"from\": \"48 KiB\", \"to\": \"96 KiB\", \"step\": \"16 KiB\"},\n"
      "      \"io.wafer_bandwidth\": {\"from\": \"10 GB/s\", \"to\": \"1 TB/s\", \"count\": 9, \"scale\": \"log\"},\n"
      "      \"systems\": [1, 2], \"seed\": [3, 4] },\n"
      "    \"zip\": [[\"systems\", \"seed\"]],           axes that go forward together\n"
      "    \"conditions\": [[\"training.batch\", \"<=\", 66]] }   points that stay: axis, == != < <= > >=, value or axis\n\n"
      "Examples:\n"
      "  wafersim sweep width-link-batch-cs2 --out sweeps/width --jobs 2\n"
      "  wafersim sweep sweep.json --out /shared/sweep --slurm --partition batch --time 0:30:00 --points-per-task 10\n\n"
      "Files of the directory:\n"
      "  sweep.json         the points\n"
      "  configs/ID.json    a point's complete configuration\n"
      "  points/ID.json     its result, once it has one: figures and the whole report\n"
      "  sweep.csv          all of them as a table\n"
      "  sweep.sqlite       the same, table points\n\n"
      "Exit codes: 0 every point ended well, 1 some failed (the others' results are there), 2 bad input, 6 results could not be written,\n"
      "130 and 143 after SIGINT and SIGTERM.");
  return {sweep, [options] { return run(*options); }};
}

}  // namespace wafersim::tools
