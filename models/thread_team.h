#pragma once
// A fixed set of threads that do one part of a work each: run(f) calls f(0), ..., f(threads - 1) at the same time, one of them on the
// calling thread, and returns when all have returned. Threads that wait spin, then yield; those that nobody calls for long sleep.

#include <atomic>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

namespace wafersim::models {

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
  bool stop_ = false;
  alignas(64) std::atomic<std::uint64_t> phase_{0};  // runs begun
  alignas(64) std::atomic<int> busy_{0};             // workers that have not finished the run
  std::vector<std::thread> workers_;
};

}  // namespace wafersim::models
