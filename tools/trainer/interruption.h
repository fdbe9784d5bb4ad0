#pragma once
// SIGINT and SIGTERM end the program with exit code 128 + signal, but never in the middle of writing: a thread of its own waits for them
// and takes a lock that the writer holds. Both signals are blocked in the thread that makes an Interruption and in all it starts later.

#include <atomic>
#include <csignal>
#include <filesystem>
#include <mutex>
#include <thread>
#include <vector>

namespace wafersim::tools {

class Interruption {
 public:
  Interruption();
  ~Interruption();  // signals act as before
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  // While it is held, a signal waits.
  std::unique_lock<std::mutex> hold() { return std::unique_lock(mutex_); }
  // Directories that a signal removes when they are empty, in order. REQUIRES hold().
  void remove_when_interrupted(std::vector<std::filesystem::path> directories) { directories_ = std::move(directories); }

 private:
  void wait();

  std::mutex mutex_;
  std::vector<std::filesystem::path> directories_;
  sigset_t signals_{};
  sigset_t before_{};
  std::atomic<bool> over_{false};
  std::thread waiter_;
};

}  // namespace wafersim::tools
