#pragma once
// MemoryX on the clock: what its store does, and, when the last gradient of a step has arrived, the numbers of the update.

#include <optional>

#include "memoryx/memory_x.h"
#include "models/systemc/cycle_module.h"
#include "models/systemc/link_peer.h"

namespace wafersim::models {

class MemoryXModule : public CycleModule, public LinkPeer {
 public:
  // memory_x outlives the module.
  MemoryXModule(const sc_core::sc_module_name& name, memoryx::MemoryX& memory_x, sim::Hertz clock, Pause& pause);
  sc_core::sc_port<Wakeable> link;  // or SwarmX

  // Starts a step at `cycle`, which is not past.
  void begin_step(Cycle cycle, const memoryx::StepBatch& batch);
  // What the step came to, once its last gradient has arrived.
  struct Result {
    memoryx::MemoryX::StepEnd end;
    Cycle gradients_done = 0;  // the last gradient has arrived
  };
  const std::optional<Result>& result() const { return result_; }

  void link_stepped(Cycle now) override;

 private:
  void run(Cycle now) override;

  memoryx::MemoryX& memory_x_;
  std::optional<Result> result_;
};

}  // namespace wafersim::models
