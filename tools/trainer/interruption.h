#pragma once
// Signals to a run. SIGINT and SIGTERM end the program with exit code 128 + signal, but never in the middle of writing: a thread of its own
// waits for them and takes a lock that the writer holds. While steps run that can be kept, the first one asks for a checkpoint at the end
// of the step, the second ends the program. SIGUSR1 prints how far the run is. These signals are blocked in the thread that makes an
// Interruption and in all it starts later.

#include <atomic>
#include <csignal>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace wafersim::tools {

class Interruption {
 public:
  Interruption();
  ~Interruption();  // signals act as before
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  // What SIGUSR1 prints while it lives.
  class Status {
   public:
    Status(Interruption& interruption, std::function<std::string()> text) : interruption_(interruption) { tell(std::move(text)); }
    ~Status() { tell(nullptr); }
    Status(const Status&) = delete;
    Status& operator=(const Status&) = delete;

   private:
    void tell(std::function<std::string()> text) {
      const auto held = interruption_.hold();
      interruption_.status_ = std::move(text);
    }
    Interruption& interruption_;
  };

  // While it is held, a signal waits.
  std::unique_lock<std::mutex> hold() { return std::unique_lock(mutex_); }
  // Files that a signal removes, and directories when they are empty, in order. REQUIRES hold().
  void remove_when_interrupted(std::vector<std::filesystem::path> paths) { paths_ = std::move(paths); }
  // Whether the first signal waits for the end of a step.
  void finish_steps(bool finish) { finishes_ = finish; }
  // The results are in their places: a signal that comes now, or waits for this, does nothing. REQUIRES hold().
  void end() { ended_ = true; }
  // The signal that does; 0: none came.
  int asked() const { return asked_; }

 private:
  void wait();
  void act(int signal);

  std::mutex mutex_;
  std::vector<std::filesystem::path> paths_;
  std::function<std::string()> status_;
  sigset_t signals_{};
  sigset_t before_{};
  bool ended_ = false;
  std::atomic<bool> over_{false}, finishes_{false};
  std::atomic<int> asked_{0};
  std::thread waiter_;
};

// SIGINT or SIGTERM.
const char* signal_name(int signal);

}  // namespace wafersim::tools
