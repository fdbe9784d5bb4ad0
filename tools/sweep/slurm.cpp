#include "tools/sweep/slurm.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <fmt/format.h>
#include <sys/wait.h>
#include <thread>

#include "sim/atomic_file.h"
#include "sim/error.h"
#include "sim/json_file.h"
#include "tools/sweep/child_process.h"
#include "tools/sweep/sweep_progress.h"

namespace wafersim::tools {
namespace {

constexpr std::chrono::seconds between_looks(2);

std::string shell_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

struct Answer {
  bool good = false;
  std::string text;  // both outputs, without the last line's end
};

Answer ask(const std::string& command) {
  Answer answer;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) throw sim::Error(sim::ErrorCategory::invariant, "no process can be made");
  std::array<char, 4096> buffer{};
  for (std::size_t count = 0; (count = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) answer.text.append(buffer.data(), count);
  const int status = ::pclose(pipe);
  answer.good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  while (answer.text.ends_with('\n')) answer.text.pop_back();
  return answer;
}

// `text` with each `c` of it twice, so that it stands for itself.
std::string doubled(const std::string& text, char c) {
  std::string out;
  for (const char one : text) out += std::string(one == c ? 2 : 1, one);
  return out;
}

}  // namespace

std::string array_text(const std::vector<int>& tasks) {
  std::string text;
  for (std::size_t k = 0; k < tasks.size();) {
    std::size_t last = k;
    while (last + 1 < tasks.size() && tasks[last + 1] == tasks[last] + 1) ++last;
    text += text.empty() ? "" : ",";
    text += last == k ? fmt::format("{}", tasks[k]) : fmt::format("{}-{}", tasks[k], tasks[last]);
    k = last + 1;
  }
  return text;
}

std::vector<SweepPoint> points_of_task(const std::vector<SweepPoint>& points, int task, int points_per_task) {
  const std::size_t first = std::min(points.size(), static_cast<std::size_t>(task) * static_cast<std::size_t>(points_per_task));
  const std::size_t last = std::min(points.size(), first + static_cast<std::size_t>(points_per_task));
  return {points.begin() + static_cast<std::ptrdiff_t>(first), points.begin() + static_cast<std::ptrdiff_t>(last)};
}

std::vector<int> tasks_to_run(const SweepDirectory& directory, const std::vector<SweepPoint>& points, int points_per_task) {
  std::vector<int> tasks;
  for (std::size_t k = 0; k < points.size(); ++k) {
    const int task = static_cast<int>(k) / points_per_task;
    if ((!tasks.empty() && tasks.back() == task) || !points[k].readable() || directory.finished(points[k])) continue;
    tasks.push_back(task);
  }
  return tasks;
}

std::string job_script(const SweepDirectory& directory, const std::vector<int>& tasks, const SlurmOptions& options) {
  std::string script = "#!/bin/sh\n";
  const auto option = [&](const char* name, const std::string& value) {
    if (!value.empty()) script += fmt::format("#SBATCH --{}=\"{}\"\n", name, value);
  };
  option("job-name", "wafersim-sweep");
  option("array", array_text(tasks));
  option("cpus-per-task", std::to_string(options.jobs));
  option("partition", options.partition);
  option("time", options.time);
  option("mem", options.memory);
  option("output", doubled(directory.path().string(), '%') + "/slurm/%A_%a.log");
  script += fmt::format("exec {} sweep --task --out {} --points-per-task {} --jobs {}", shell_quoted(own_program().string()),
                        shell_quoted(directory.path().string()), options.points_per_task, options.jobs);
  if (!options.cache.empty()) script += " --cache " + shell_quoted(options.cache);
  return script + "\n";
}

std::string submit(const SweepDirectory& directory, const std::string& script) {
  const std::filesystem::path file = directory.path() / "slurm" / "job.sh";
  std::error_code code;
  std::filesystem::create_directories(file.parent_path(), code);
  sim::write_file_atomically(file, script);
  const Answer answer = ask("sbatch --parsable " + shell_quoted(file.string()));
  if (!answer.good)
    throw sim::Error(sim::ErrorCategory::config,
                     fmt::format("--slurm: sbatch does not take {}: {}", file.string(), sim::printable(answer.text, 400)));
  const std::string last = answer.text.substr(answer.text.rfind('\n') + 1);  // after warnings
  return last.substr(0, last.find(';'));                                     // JOB;CLUSTER
}

void wait_for_job(const SweepDirectory& directory, const std::vector<SweepPoint>& points, const std::string& job) {
  const auto done = [&] {
    return static_cast<std::size_t>(std::count_if(points.begin(), points.end(), [&](const SweepPoint& point) {
      return std::filesystem::exists(directory.result(point.id)) && directory.result_of(point).has_value();
    }));
  };
  SweepProgress progress(points.size(), done());
  while (true) {
    const Answer answer = ask("squeue --noheader --array --format=%T --jobs=" + job);
    const bool forgotten = !answer.good && answer.text.find("Invalid job id") != std::string::npos;
    std::size_t running = 0;
    for (std::size_t at = 0; (at = answer.text.find("RUNNING", at)) != std::string::npos; ++at) ++running;
    progress.show(done(), running);
    if (forgotten || (answer.good && answer.text.empty())) return;
    std::this_thread::sleep_for(between_looks);
  }
}

}  // namespace wafersim::tools
