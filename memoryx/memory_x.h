#pragma once
// MemoryX: streams a step's weights, takes its gradients, updates. Pure: the wafer's cycle is passed in.
//
// Numbers are those of Updater::finish_step (update.h), which every driver calls. Time: the optimizer updates one tensor after another;
// n parameters take max(n / optimizer_rate, n * bytes / bandwidth), in whole cycles. With clipping or dynamic loss scaling nothing starts
// before the last gradient of the step has arrived; otherwise a tensor may start when its own has. Among those that may, the one that the
// next step uses first goes first. A skipped step updates nothing and takes no time.
//
// Updates overlap with the next step: it may begin when the last gradient has arrived, and each of its words leaves as soon as the tensors
// that it takes values from have been updated (weight_streamer.h). What the overlap does not hide shows in the link's update_wait_cycles.

#include <cstdint>
#include <vector>

#include "memoryx/gradient_collector.h"
#include "memoryx/spec.h"
#include "memoryx/training.h"
#include "memoryx/weight_streamer.h"

namespace wafersim::memoryx {

// Bytes of the store that the update of a parameter reads and writes: weight, gradient and moments.
int update_bytes(OptimizerSpec::Kind kind);

// When each tensor's update ends, given the cycle at which each may start; `order` is that of preference.
std::vector<std::uint64_t> schedule_updates(const std::vector<std::uint64_t>& may_start, const std::vector<std::uint64_t>& durations,
                                            const std::vector<int>& order);

class MemoryX {
 public:
  // streams: of the calls of one micro-batch in the order in which they run; they outlive this. Errors: plan when the store is too large,
  // unsupported when the calls are too many.
  MemoryX(const MemoryXSpec& spec, double clock_hz, const TrainingSpec& training, ParameterStore store,
          const std::vector<const CallStream*>& streams, const LinkTiming& timing, int micro_batches = 1);
  MemoryX(const MemoryX&) = delete;
  MemoryX& operator=(const MemoryX&) = delete;

  void begin_step(std::uint64_t cycle, const StepBatch& batch);
  bool gradients_complete() const { return collector_.complete(); }

  struct StepEnd {
    double loss = 0.0;  // mean negative log likelihood of the tokens that have a target
    UpdateRecord update;
    std::uint64_t updates_begin = 0, updates_end = 0;  // of the first and the last tensor; both `cycle` when the step is skipped
  };
  // REQUIRES gradients_complete(). `cycle`: when the last gradient arrived. Afterwards the store holds the gradients and new weights, and
  // the words of the next step wait for their tensors' updates.
  StepEnd finish_step(std::uint64_t cycle);

  WeightStreamer& streamer() { return streamer_; }
  GradientCollector& collector() { return collector_; }
  const WeightStreamer& streamer() const { return streamer_; }
  const GradientCollector& collector() const { return collector_; }
  ParameterStore& store() { return store_; }
  const ParameterStore& store() const { return store_; }

 private:
  TrainingSpec training_;
  ParameterStore store_;
  WeightStreamer streamer_;
  GradientCollector collector_;
  Updater updater_;
  std::vector<std::uint64_t> durations_;  // cycles of each tensor's update
  std::uint64_t optimizer_free_ = 0;
  StepBatch batch_;
};

}  // namespace wafersim::memoryx
