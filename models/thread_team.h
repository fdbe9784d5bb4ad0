#pragma once
// A fixed set of threads that do one phase of a cycle together: run(f) calls f(0), ..., f(threads - 1) at the same time, one of them on the
// calling thread, and returns when all have returned. Waiting threads spin for a short while, then sleep.

#include <atomic>
#include <exception>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

namespace wafersim::models {

class ThreadTeam {
 public:
  explicit ThreadTeam(int threads);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  int size() const { return static_cast<int>(workers_.size()) + 1; }
  // The first exception of the lowest-numbered part is rethrown.
  void run(const std::function<void(int)>& part);

 private:
  void work(int index);

  std::vector<std::thread> workers_;
  std::vector<std::exception_ptr> failures_;
  const std::function<void(int)>* part_ = nullptr;
  std::atomic<std::uint64_t> phase_{0};
  std::atomic<int> busy_{0};
  std::atomic<bool> stop_{false};
};

}  // namespace wafersim::models
