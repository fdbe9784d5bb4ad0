#pragma once
// MemoryX for wafers in blocks: what its store has read goes to them, what they report of gradients to the store (memoryx/store_flow.h).
// The next step's stream starts when the last gradient has come.

#include <deque>
#include <optional>
#include <systemc>
#include <vector>

#include "memoryx/store_flow.h"
#include "models/sampled_system.h"
#include "models/systemc/block_channel.h"
#include "models/systemc/cycle_clock.h"
#include "models/systemc/memory_tier.h"

namespace wafersim::models {

class SampledMemoryX : public sc_core::sc_module, public ReportSink {
 public:
  SampledMemoryX(const sc_core::sc_module_name& name, const CycleClock& clock);
  sc_core::sc_export<ReportSink> reports;
  sc_core::sc_port<BlockSink> down;
  StoreSockets store;

  // schedule outlives the run. systems: whose tokens it serves. Throws Error(plan) when the store is too large.
  void configure(const StepSchedule& schedule, const SampledSpec& spec, int systems, int steps, const std::vector<bool>& skipped);
  void start();

  bool finished() const { return updated_ == steps_; }
  std::vector<SampledStep> steps();  // without their calls; each once

 private:
  void taken(int child, const BlockTaken& taken) override;
  void report(int child, const BlockReport& report) override;
  void act();
  int parts_of(int call) const;

  struct Given {
    int call, part;
  };

  const CycleClock& clock_;
  const StepSchedule* schedule_ = nullptr;
  std::optional<memoryx::StoreFlow> flow_;
  int steps_ = 0;
  std::vector<bool> skipped_;  // by step; empty: none
  std::deque<Given> given_;    // blocks that have not been taken
  int step_ = 0;               // the last that has begun
  int collected_ = 0;          // calls of it whose reports have come
  int updated_ = 0;            // steps
  sc_core::sc_event wake_;
  // The cycle of the store's next event and when it is, in SystemC's time, which is not exact to the cycle over weeks; 0: none.
  std::uint64_t due_cycle_ = 0;
  sc_core::sc_time due_;
  std::vector<SampledStep> results_;
};

}  // namespace wafersim::models
