#include "memoryx/memory_x.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "sim/error.h"

namespace wafersim::memoryx {
namespace {

constexpr double stored_bytes = 16.0;  // of a parameter: weight, gradient and two moments, fp32

std::uint64_t update_cycles(const MemoryXSpec& spec, double clock_hz, OptimizerSpec::Kind kind, std::size_t parameters) {
  const double n = static_cast<double>(parameters);
  const double seconds = std::max(n / spec.optimizer_rate, n * update_bytes(kind) / spec.bandwidth);
  return static_cast<std::uint64_t>(std::ceil(seconds * clock_hz * (1.0 - 1e-12)));  // a hair of rounding is not a cycle
}

}  // namespace

int update_bytes(OptimizerSpec::Kind kind) {
  switch (kind) {
    case OptimizerSpec::Kind::adamw: return 28;  // reads w, g, m, v; writes w, m, v
    case OptimizerSpec::Kind::sgd: return 12;    // reads w, g; writes w
  }
  return 0;
}

std::vector<std::uint64_t> schedule_updates(const std::vector<std::uint64_t>& may_start, const std::vector<std::uint64_t>& durations,
                                            const std::vector<int>& order) {
  std::vector<std::uint64_t> end(may_start.size());
  std::vector<int> waiting = order;
  std::uint64_t now = 0;
  while (!waiting.empty()) {
    const auto start = [&](int tensor) { return std::max(now, may_start[static_cast<std::size_t>(tensor)]); };
    // The first of those that can start earliest.
    const auto next = std::min_element(waiting.begin(), waiting.end(), [&](int a, int b) { return start(a) < start(b); });
    const std::size_t tensor = static_cast<std::size_t>(*next);
    now = end[tensor] = start(*next) + durations[tensor];
    waiting.erase(next);
  }
  return end;
}

MemoryX::MemoryX(const MemoryXSpec& spec, double clock_hz, const TrainingSpec& training, ParameterStore store,
                 const std::vector<const CallStream*>& streams, const LinkTiming& timing, int micro_batches)
    : training_(training),
      store_(std::move(store)),
      streamer_(streams, timing, store_, micro_batches, training.systems),
      collector_(streams, training, store_, micro_batches),
      updater_(training.update) {
  const double bytes = stored_bytes * static_cast<double>(store_.size());
  if (bytes > spec.capacity)
    throw sim::Error(sim::ErrorCategory::plan, "memoryx.capacity = " + std::to_string(spec.capacity) +
                                                   " bytes: the model with its gradients and moments takes " + std::to_string(bytes) +
                                                   "; choose a smaller model or a larger MemoryX");
  for (const ParameterEntry& entry : store_.table().entries())
    durations_.push_back(update_cycles(spec, clock_hz, training.update.optimizer.kind, entry.size));
}

void MemoryX::begin_step(std::uint64_t cycle, const StepBatch& batch) {
  sim::require_invariant(batch.tokens.size() == training_.tokens() && batch.targets.size() == training_.tokens(),
                         "a step's batch has the size of the plan's");
  batch_ = batch;
  streamer_.begin_step(cycle, batch, static_cast<float>(updater_.loss_scale() / loss_tokens(batch.targets)));
  collector_.begin_step(cycle);
}

MemoryX::StepEnd MemoryX::finish_step(std::uint64_t cycle) {
  collector_.scatter_tokens(batch_.tokens);
  StepEnd end{collector_.loss_sum() / loss_tokens(batch_.targets), updater_.finish_step(store_), cycle, cycle};
  if (end.update.skipped) return end;
  const bool together = training_.update.clip > 0.0 || training_.update.loss_scale.dynamic;
  std::vector<std::uint64_t> may_start;
  for (int tensor = 0; tensor < static_cast<int>(durations_.size()); ++tensor)
    may_start.push_back(std::max(optimizer_free_, together ? cycle : collector_.last_arrival(tensor)));
  const std::vector<std::uint64_t> done = schedule_updates(may_start, durations_, streamer_.first_use());
  for (std::size_t tensor = 0; tensor < done.size(); ++tensor) streamer_.set_ready(static_cast<int>(tensor), done[tensor]);
  end.updates_begin = *std::min_element(may_start.begin(), may_start.end());
  end.updates_end = optimizer_free_ = *std::max_element(done.begin(), done.end());
  return end;
}

}  // namespace wafersim::memoryx
