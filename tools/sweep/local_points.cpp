#include "tools/sweep/local_points.h"

#include <csignal>
#include <ctime>
#include <fmt/format.h>
#include <fstream>
#include <list>
#include <sstream>
#include <system_error>

#include "sim/atomic_file.h"
#include "sim/error.h"
#include "sim/json_file.h"
#include "tools/sweep/child_process.h"
#include "tools/sweep/point_result.h"
#include "tools/sweep/sweep_progress.h"

namespace wafersim::tools {
namespace {

namespace fs = std::filesystem;

constexpr long look_again_ns = 500'000'000;  // for points that others have, and for the progress line

// Blocks the signals that are waited for; their former state comes back at the end.
class Signals {
 public:
  Signals() {
    sigemptyset(&signals_);
    for (const int signal : {SIGCHLD, SIGINT, SIGTERM}) sigaddset(&signals_, signal);
    pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  }
  ~Signals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // SIGINT or SIGTERM; 0 when a child has ended, or soon.
  int wait() const {
    const timespec soon{0, look_again_ns};
    const int signal = sigtimedwait(&signals_, nullptr, &soon);
    return signal == SIGINT || signal == SIGTERM ? signal : 0;
  }

 private:
  sigset_t signals_{}, before_{};
};

// "wafersim: CATEGORY error: MESSAGE" among what a run has said, else its last line, or the signal.
std::string error_of(const fs::path& errors, int exit_code) {
  std::ifstream file(errors);
  std::string line, last, error;
  const std::string opening = "wafersim: ";
  while (std::getline(file, line)) {
    if (line.starts_with(opening) && line.find(" error") != std::string::npos) error = line.substr(opening.size());
    if (!line.empty()) last = line;
  }
  if (!error.empty()) return error;
  if (exit_code > 128) return fmt::format("ended by signal {}{}", exit_code - 128, exit_code == 128 + SIGKILL ? " (out of memory?)" : "");
  return last.empty() ? fmt::format("ended with exit code {}", exit_code) : last;
}

[[noreturn]] void cannot(const fs::path& path, const char* what, std::error_code code) {
  throw sim::Error(sim::ErrorCategory::output, fmt::format("{}: cannot {}: {}", path.string(), what, code.message()));
}

class Runner {
 public:
  Runner(const SweepDirectory& directory, const std::vector<SweepPoint>& points, const LocalOptions& options)
      : directory_(directory), options_(options), program_(own_program().string()), total_(points.size()) {
    for (const SweepPoint& point : points) {
      if (!point.readable() || !directory.finished(point)) {
        waiting_.push_back(&point);
        outdated_ += point.readable() && fs::exists(directory.result(point.id)) && !directory.result_of(point);
      } else if (fs::exists(directory.work(point.id)) && directory.lock(point.id)) {  // killed before it could tidy up
        remove_work(point.id);
      }
    }
  }
  ~Runner() {
    for (Running& one : running_) {
      { const ChildProcess killed = std::move(one.child); }
      remove_work(one.point->id);
    }
  }
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  int run() {
    const Signals signals;
    if (outdated_ > 0)
      fmt::print(stderr, "{} points have results of another configuration or version of the program: they are run again\n", outdated_);
    SweepProgress progress(total_, done());
    while (true) {
      start_some(progress);
      progress.show(done(), running_.size());
      if (waiting_.empty() && running_.empty()) return 0;
      const int signal = signals.wait();
      if (signal != 0) return signal;
      take_ended(progress);
    }
  }

 private:
  struct Running {
    const SweepPoint* point;
    FileLock lock;
    ChildProcess child;
  };

  std::size_t done() const { return total_ - waiting_.size() - running_.size(); }

  void remove_work(const std::string& id) const {
    std::error_code ignored;
    fs::remove_all(directory_.work(id), ignored);
  }

  void make_work(const std::string& id) const {
    std::error_code code;
    fs::create_directories(directory_.work(id), code);
    if (code) cannot(directory_.work(id), "be made", code);
  }

  // By way of the work directory, which takes with it what a killed process has half written.
  void write(const SweepPoint& point, const nlohmann::ordered_json& result) const {
    const fs::path whole = directory_.work(point.id) / "result.json", place = directory_.result(point.id);
    sim::write_file_atomically(whole, result.dump() + "\n");
    std::error_code code;
    fs::rename(whole, place, code);
    if (code) cannot(place, "be put in place", code);
  }

  void start_some(SweepProgress& progress) {
    for (auto at = waiting_.begin(); at != waiting_.end() && running_.size() < static_cast<std::size_t>(options_.jobs);) {
      const SweepPoint& point = **at;
      if (!point.readable()) {
        make_work(point.id);
        write(point, unreadable_result(point));
        remove_work(point.id);
        progress.failed(point, point.error);
        at = waiting_.erase(at);
        continue;
      }
      std::optional<FileLock> lock = directory_.lock(point.id);
      if (!lock) {
        ++at;
        continue;
      }
      if (!directory_.finished(point)) start(point, std::move(*lock));
      at = waiting_.erase(at);
    }
  }

  void start(const SweepPoint& point, FileLock lock) {
    remove_work(point.id);
    const fs::path work = directory_.work(point.id);
    make_work(point.id);
    std::vector<std::string> command = {program_,    "run", directory_.config(point.id).string(), "--out", (work / "run").string(),
                                        "--no-trace"};
    if (!options_.cache.empty()) command.insert(command.end(), {"--cache", options_.cache});
    running_.push_back({&point, std::move(lock), ChildProcess(command, work / "errors")});
  }

  void take_ended(SweepProgress& progress) {
    for (auto at = running_.begin(); at != running_.end();) {
      const std::optional<ChildEnd> end = at->child.ended();
      if (!end) {
        ++at;
        continue;
      }
      const SweepPoint& point = *at->point;
      const fs::path work = directory_.work(point.id);
      if (end->exit_code == 0) {
        write(point, good_result(point, *end, sim::read_json_file(work / "run" / "report.json")));
      } else {
        const std::string error = error_of(work / "errors", end->exit_code);
        write(point, failed_result(point, *end, error));
        progress.failed(point, error);
      }
      remove_work(point.id);
      at = running_.erase(at);
    }
  }

  const SweepDirectory& directory_;
  const LocalOptions& options_;
  const std::string program_;  // its name when the sweep began
  std::size_t total_, outdated_ = 0;
  std::list<const SweepPoint*> waiting_;
  std::list<Running> running_;
};

}  // namespace

int run_points(const SweepDirectory& directory, const std::vector<SweepPoint>& points, const LocalOptions& options) {
  return Runner(directory, points, options).run();
}

}  // namespace wafersim::tools
