#include "tools/trainer/progress.h"

#include <cstdio>
#include <fmt/format.h>
#include <unistd.h>

namespace wafersim::tools {

Progress::Progress(int steps, double clock, bool numerics)
    : steps_(steps), clock_(clock), numerics_(numerics), terminal_(::isatty(STDERR_FILENO) == 1), start_(Clock::now()), last_line_(start_) {
  if (!terminal_) return;
  fmt::print(stderr, "step 1/{} ...", steps_);
  std::fflush(stderr);
  line_open_ = true;
}

void Progress::end() {
  if (line_open_) std::fputc('\n', stderr);
  line_open_ = false;
}

void Progress::after_step(int step, const StepRecord& record) {
  simulated_seconds_ += static_cast<double>(record.cycles) / clock_;
  const Clock::time_point now = Clock::now();
  const bool ends = step == 0 || step + 1 == steps_;
  if (!terminal_ && !ends && std::chrono::duration<double>(now - last_line_).count() < seconds_between_lines) return;
  last_line_ = now;
  const double host = std::chrono::duration<double>(now - start_).count();
  const double left = host / (step + 1) * (steps_ - step - 1);
  const std::string loss = numerics_ ? fmt::format("  loss {:.4f}{}", record.loss, record.skipped ? " (skipped)" : "") : "";
  const std::string line = fmt::format("step {}/{}{}  simulated {:.3f} ms  host {:.1f} s  left {:.0f} s", step + 1, steps_, loss,
                                       1e3 * simulated_seconds_, host, left);
  if (terminal_) {
    fmt::print(stderr, "\r{}\x1b[K", line);
    std::fflush(stderr);
  } else {
    fmt::print(stderr, "{}\n", line);
  }
}

}  // namespace wafersim::tools
