#include "models/thread_team.h"

#include <utility>

namespace wafersim::models {
ThreadTeam::ThreadTeam(int threads) : failures_(static_cast<std::size_t>(threads)) {
  for (int index = 1; index < threads; ++index) workers_.emplace_back([this, index] { work(index); });
}

ThreadTeam::~ThreadTeam() {
  stop_ = true;
  phase_.fetch_add(1, std::memory_order_release);
  phase_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadTeam::run(const std::function<void(int)>& part) {
  part_ = &part;
  busy_.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
  phase_.fetch_add(1, std::memory_order_release);
  phase_.notify_all();
  do_part(0);
  for (int busy = busy_.load(std::memory_order_acquire); busy != 0; busy = busy_.load(std::memory_order_acquire)) caller_.wait(busy_, busy);
  for (std::exception_ptr& failure : failures_)
    if (failure) std::rethrow_exception(std::exchange(failure, nullptr));
}

void ThreadTeam::do_part(int index) {
  try {
    (*part_)(index);
  } catch (...) {
    failures_[static_cast<std::size_t>(index)] = std::current_exception();
  }
}

void ThreadTeam::work(int index) {
  Waiter waiter;
  for (std::uint64_t seen = 0;; ++seen) {
    waiter.wait(phase_, seen);
    if (stop_) return;
    do_part(index);
    if (busy_.fetch_sub(1, std::memory_order_release) == 1) busy_.notify_one();
  }
}

}  // namespace wafersim::models
