#pragma once
// The progress of a sweep on stderr: points done, failed and running, host time, time left. On a terminal one line that is overwritten,
// else a line at most every five seconds, beside the first and the last. A point that fails has a line of its own.

#include <chrono>
#include <cstddef>

#include "tools/sweep/sweep_point.h"

namespace wafersim::tools {

class SweepProgress {
 public:
  SweepProgress(std::size_t points, std::size_t done_before);
  ~SweepProgress() { end(); }
  SweepProgress(const SweepProgress&) = delete;
  SweepProgress& operator=(const SweepProgress&) = delete;

  void failed(const SweepPoint& point, const std::string& error);
  // Points that have a result, by whomever; and those that this process runs.
  void show(std::size_t done, std::size_t running);
  void end();  // ends the live line

 private:
  using Clock = std::chrono::steady_clock;

  std::size_t points_, done_before_;
  std::size_t failed_ = 0, last_done_ = 0;
  bool terminal_;
  bool shown_ = false, line_open_ = false;  // a live line that no newline has ended
  Clock::time_point start_, last_line_;
};

}  // namespace wafersim::tools
