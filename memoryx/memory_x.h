#pragma once
// MemoryX: streams a step's weights, takes its gradients, updates. Pure: the wafer's cycle is passed in.
//
// Numbers are those of Updater::finish_step (update.h), which every driver calls. Time is that of the store (store_flow.h): a word leaves
// when its block of the call has been read, a block is read when its tensors have been updated. With clipping or dynamic loss scaling no
// update starts before the last gradient of the step has arrived; otherwise a tensor's may start when its own has. A skipped step updates
// nothing and takes no time.
//
// Updates overlap with the next step, which may begin when the last gradient has arrived. What the overlap does not hide shows in the
// link's update_wait_cycles, what reading does not in its store_wait_cycles.

#include <cstdint>
#include <optional>
#include <vector>

#include "memoryx/gradient_collector.h"
#include "memoryx/spec.h"
#include "memoryx/store_flow.h"
#include "memoryx/training.h"
#include "memoryx/weight_streamer.h"

namespace wafersim::memoryx {

class MemoryX {
 public:
  // streams: of the calls of one micro-batch in the order in which they run; they and the memory outlive this. Errors: plan when the store
  // is too large, unsupported when the calls are too many.
  MemoryX(const MemoryXSpec& spec, double clock_hz, const TrainingSpec& training, ParameterStore store,
          const std::vector<const CallStream*>& streams, const LinkTiming& timing, StoreMemory& memory, int micro_batches = 1);
  MemoryX(const MemoryX&) = delete;
  MemoryX& operator=(const MemoryX&) = delete;

  void begin_step(std::uint64_t cycle, const StepBatch& batch);
  bool gradients_complete() const { return collector_.complete(); }

  // What the store does up to `cycle`, to be called after the link, or SwarmX, was stepped at a cycle and at every one that next_event()
  // names. Returns the first cycle, after this one, at which words are there that were not, or never.
  std::uint64_t advance(std::uint64_t cycle);
  // Not after `cycle` when advance(cycle) has something to do.
  std::uint64_t next_event() const;

  struct StepEnd {
    double loss = 0.0;  // mean negative log likelihood of the tokens that have a target
    UpdateRecord update;
  };
  // REQUIRES gradients_complete(). `cycle`: when the last gradient arrived; advance(cycle) follows. Afterwards the store holds the
  // gradients and new weights, and the words of the next step wait for their tensors' updates.
  StepEnd finish_step(std::uint64_t cycle);
  // A step whose updates are all done, each once.
  std::optional<StoreFlow::Updates> next_updates() { return flow_.next_updates(); }
  StoreLog take_log() { return flow_.take_log(); }  // of what the store has done since this was asked last

  WeightStreamer& streamer() { return streamer_; }
  GradientCollector& collector() { return collector_; }
  const WeightStreamer& streamer() const { return streamer_; }
  const GradientCollector& collector() const { return collector_; }
  ParameterStore& store() { return store_; }
  const ParameterStore& store() const { return store_; }

  // Saves or restores what a new MemoryX does not know. REQUIRES between two steps, its log taken.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(store_, updater_, flow_);
  }

 private:
  std::uint64_t pass_on(std::uint64_t cycle, std::uint64_t earliest);

  TrainingSpec training_;
  ParameterStore store_;
  WeightStreamer streamer_;
  GradientCollector collector_;
  Updater updater_;
  StoreFlow flow_;
  StepBatch batch_;
};

}  // namespace wafersim::memoryx
