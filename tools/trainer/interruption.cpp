#include "tools/trainer/interruption.h"

#include <cstdio>
#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include "tools/trainer/run_directory.h"

namespace wafersim::tools {

Interruption::Interruption() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  sigaddset(&signals_, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  waiter_ = std::thread([this] { wait(); });
}

Interruption::~Interruption() {
  over_ = true;
  pthread_kill(waiter_.native_handle(), SIGINT);
  waiter_.join();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void Interruption::wait() {
  while (true) {
    int signal = 0;
    if (sigwait(&signals_, &signal) != 0) continue;
    if (over_) return;
    act(signal);
  }
}

void Interruption::act(int signal) {
  const std::lock_guard held(mutex_);
  if (ended_) return;
  if (signal == SIGUSR1) {
    fmt::print(stderr, "\n{}\n", status_ ? status_() : "wafersim: no step has begun");
  } else if (finishes_ && asked_ == 0) {
    asked_ = signal;
    fmt::print(stderr, "\nwafersim: {}: ends after this step with a checkpoint; once more ends it now\n", signal_name(signal));
  } else {
    remove_made(paths_);
    fmt::print(stderr, "\nwafersim: ended by {}; no result is written\n", signal_name(signal));
    std::fflush(stderr);
    ::_exit(128 + signal);
  }
  std::fflush(stderr);
}

const char* signal_name(int signal) { return signal == SIGINT ? "SIGINT" : "SIGTERM"; }

}  // namespace wafersim::tools
