#include "tools/sweep/sweep_progress.h"

#include <cstdio>
#include <fmt/format.h>
#include <unistd.h>

namespace wafersim::tools {
namespace {

constexpr double seconds_between_lines = 5.0;

}  // namespace

SweepProgress::SweepProgress(std::size_t points, std::size_t done_before)
    : points_(points), done_before_(done_before), terminal_(::isatty(STDERR_FILENO) == 1), start_(Clock::now()), last_line_(start_) {}

void SweepProgress::failed(const SweepPoint& point, const std::string& error) {
  ++failed_;
  end();
  fmt::print(stderr, "point {} failed ({}): {}\n", point.id, describe(point.values), error);
}

void SweepProgress::show(std::size_t done, std::size_t running) {
  const Clock::time_point now = Clock::now();
  const bool ends = !shown_ || (done == points_ && done != last_done_);
  if (!terminal_ && !ends && std::chrono::duration<double>(now - last_line_).count() < seconds_between_lines) return;
  const double host = std::chrono::duration<double>(now - start_).count();
  const std::size_t new_ones = done - done_before_;
  const std::string left =
      new_ones == 0 ? "" : fmt::format("  left {:.0f} s", host / static_cast<double>(new_ones) * static_cast<double>(points_ - done));
  const std::string failures = failed_ == 0 ? "" : fmt::format("  {} failed", failed_);
  const std::string line = fmt::format("points {}/{}{}  running {}  host {:.1f} s{}", done, points_, failures, running, host, left);
  if (terminal_) {
    fmt::print(stderr, "\r{}\x1b[K", line);
    std::fflush(stderr);
    line_open_ = true;
  } else {
    fmt::print(stderr, "{}\n", line);
  }
  last_line_ = now;
  last_done_ = done;
  shown_ = true;
}

void SweepProgress::end() {
  if (line_open_) std::fputc('\n', stderr);
  line_open_ = false;
}

}  // namespace wafersim::tools
