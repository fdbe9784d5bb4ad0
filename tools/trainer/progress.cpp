#include "tools/trainer/progress.h"

#include <cstdio>
#include <fmt/format.h>
#include <unistd.h>

namespace wafersim::tools {

Progress::Progress(int steps, double clock, bool numerics, int behind)
    : steps_(steps),
      clock_(clock),
      numerics_(numerics),
      behind_(behind),
      status_("no step is done"),
      terminal_(::isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      last_line_(start_) {
  if (!terminal_) return;
  fmt::print(stderr, "step {}/{} ...", behind_ + 1, steps_);
  std::fflush(stderr);
  line_open_ = true;
}

void Progress::end() {
  if (line_open_) std::fputc('\n', stderr);
  line_open_ = false;
}

std::string Progress::status() const {
  const std::lock_guard held(mutex_);
  return "wafersim: " + status_;
}

std::string Progress::line(int step, const StepRecord& record) const {
  const double host = std::chrono::duration<double>(Clock::now() - start_).count();
  const double left = host / (step + 1 - behind_) * (steps_ - step - 1);
  const std::string loss = numerics_ ? fmt::format("  loss {:.4f}{}", record.loss, record.skipped ? " (skipped)" : "") : "";
  return fmt::format("step {}/{}{}  simulated {:.3f} ms  host {:.1f} s  left {:.0f} s", step + 1, steps_, loss, 1e3 * simulated_seconds_,
                     host, left);
}

void Progress::after_step(int step, const StepRecord& record) {
  simulated_seconds_ += static_cast<double>(record.cycles) / clock_;
  if (step < behind_) return;
  const std::string done = line(step, record);
  {
    const std::lock_guard held(mutex_);
    status_ = done;
  }
  const Clock::time_point now = Clock::now();
  const bool ends = step == behind_ || step + 1 == steps_;
  if (!terminal_ && !ends && std::chrono::duration<double>(now - last_line_).count() < seconds_between_lines) return;
  last_line_ = now;
  if (terminal_) {
    fmt::print(stderr, "\r{}\x1b[K", done);
    std::fflush(stderr);
  } else {
    fmt::print(stderr, "{}\n", done);
  }
}

}  // namespace wafersim::tools
