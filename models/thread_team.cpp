#include "models/thread_team.h"

namespace wafersim::models {
namespace {
constexpr int spins = 2000;
}

ThreadTeam::ThreadTeam(int threads) : failures_(static_cast<std::size_t>(threads)) {
  for (int index = 1; index < threads; ++index) workers_.emplace_back([this, index] { work(index); });
}

ThreadTeam::~ThreadTeam() {
  stop_ = true;
  ++phase_;
  phase_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadTeam::run(const std::function<void(int)>& part) {
  part_ = &part;
  busy_.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
  phase_.fetch_add(1, std::memory_order_release);
  phase_.notify_all();
  try {
    part(0);
  } catch (...) {
    failures_[0] = std::current_exception();
  }
  for (int spin = 0; busy_.load(std::memory_order_acquire) != 0; ++spin)
    if (spin > spins) std::this_thread::yield();
  for (std::exception_ptr& failure : failures_)
    if (failure) std::rethrow_exception(std::exchange(failure, nullptr));
}

void ThreadTeam::work(int index) {
  for (std::uint64_t seen = 0;;) {
    for (int spin = 0; phase_.load(std::memory_order_acquire) == seen; ++spin)
      if (spin > spins) phase_.wait(seen, std::memory_order_acquire);
    ++seen;
    if (stop_) return;
    try {
      (*part_)(index);
    } catch (...) {
      failures_[static_cast<std::size_t>(index)] = std::current_exception();
    }
    busy_.fetch_sub(1, std::memory_order_release);
  }
}

}  // namespace wafersim::models
