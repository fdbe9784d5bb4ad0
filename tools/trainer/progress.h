#pragma once
// The progress of a run on stderr: step, loss, simulated time, host time, time left. On a terminal one line that is overwritten, else a
// line a step, at most one in `seconds_between_lines` beside the first and the last.

#include <chrono>
#include <mutex>
#include <string>

#include "tools/trainer/trainer.h"

namespace wafersim::tools {

class Progress {
 public:
  static constexpr double seconds_between_lines = 5.0;

  // clock: of the machine, Hz; numerics: whether steps have losses.
  // The first `behind` steps are those of an interrupted run.
  Progress(int steps, double clock, bool numerics, int behind = 0);
  ~Progress() { end(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void after_step(int step, const StepRecord& record);
  void end();  // ends the live line
  // How far the run is; from any thread.
  std::string status() const;

 private:
  using Clock = std::chrono::steady_clock;

  std::string line(int step, const StepRecord& record) const;

  int steps_;
  double clock_;
  bool numerics_;
  int behind_;
  mutable std::mutex mutex_;  // of status_
  std::string status_;
  bool terminal_;
  bool line_open_ = false;  // a live line that no newline has ended
  double simulated_seconds_ = 0.0;
  Clock::time_point start_, last_line_;
};

}  // namespace wafersim::tools
