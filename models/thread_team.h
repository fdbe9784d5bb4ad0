#pragma once
// A fixed set of threads that do one part of a work each: run(f) calls f(0), ..., f(threads - 1) at the same time, one of them on the
// calling thread, and returns when all have returned. Threads that wait spin for a short while, then sleep.

#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

namespace wafersim::models {

// Looks at a value before it sleeps: about as many nanoseconds. Twice as often after a look that paid, half as often after a sleep, so that
// a team spins where each thread has a processor, and leaves processors that it shares to those who work.
class Waiter {
 public:
  // Returns when `value` is not `old`.
  template <class T>
  void wait(const std::atomic<T>& value, T old) {
    for (int look = 0; look < looks_; ++look)
      if (value.load(std::memory_order_acquire) != old) {
        looks_ = std::min(2 * looks_, most);
        return;
      }
    value.wait(old, std::memory_order_acquire);
    looks_ = std::max(looks_ / 2, least);
  }

 private:
  static constexpr int least = 100, most = 50'000;
  int looks_ = most;
};

class ThreadTeam {
 public:
  explicit ThreadTeam(int threads);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  // The exception of the lowest-numbered part that threw one is rethrown.
  void run(const std::function<void(int)>& part);

 private:
  void work(int index);
  void do_part(int index);

  const std::function<void(int)>* part_ = nullptr;
  std::vector<std::exception_ptr> failures_;
  Waiter caller_;
  bool stop_ = false;
  alignas(64) std::atomic<std::uint64_t> phase_{0};  // runs begun
  alignas(64) std::atomic<int> busy_{0};             // workers that have not finished the run
  std::vector<std::thread> workers_;
};

}  // namespace wafersim::models
