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
  int signal = 0;
  while (sigwait(&signals_, &signal) != 0) {
  }
  if (over_) return;
  const std::lock_guard held(mutex_);
  remove_empty(directories_);
  fmt::print(stderr, "\nwafersim: ended by {}; nothing is written\n", signal == SIGINT ? "SIGINT" : "SIGTERM");
  std::fflush(stderr);
  ::_exit(128 + signal);
}

}  // namespace wafersim::tools
