#include "models/thread_team.h"

#include <utility>

namespace wafersim::models {
namespace {

// A look takes about a nanosecond, a yield a microsecond or whatever somebody else does with the processor.
constexpr int spins = 20'000, yields = 1'000;

// False when `done` did not become true for a while.
template <class Done>
bool wait_a_while(const Done& done) {
  for (int spin = 0; spin < spins; ++spin)
    if (done()) return true;
  for (int turn = 0; turn < yields; ++turn) {
    if (done()) return true;
    std::this_thread::yield();
  }
  return false;
}

}  // namespace

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
  while (!wait_a_while([&] { return busy_.load(std::memory_order_acquire) == 0; })) {
  }
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
  for (std::uint64_t seen = 0;; ++seen) {
    while (!wait_a_while([&] { return phase_.load(std::memory_order_acquire) != seen; })) phase_.wait(seen, std::memory_order_acquire);
    if (stop_) return;
    do_part(index);
    busy_.fetch_sub(1, std::memory_order_release);
  }
}

}  // namespace wafersim::models
