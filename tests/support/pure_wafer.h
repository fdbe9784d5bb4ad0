#pragma once
// The machine of models/system.h without SystemC, so that a process may simulate several: the same parts, stepped together at every cycle
// at which one of them has an event, or, to find out whether events are missed, at every cycle. Cycles and bits are those of
// models::System.

#include <vector>

#include "memoryx/memory_x.h"
#include "models/link_ports.h"
#include "models/machine.h"
#include "models/mesh.h"
#include "models/step_counters.h"
#include "models/system.h"

namespace wafersim::tests {

enum class Stepping { events, every_cycle };

class PureWafer {
 public:
  // The plan outlives the wafer. Errors: as models::System.
  PureWafer(const models::MachineSpec& machine, const models::WaferPlan& plan, memoryx::ParameterStore store,
            const memoryx::TrainingSpec& training, const models::MeshOptions& options = {}, Stepping stepping = Stepping::events);

  // As models::System. Throws Error(stall) when nothing can happen any more before the step is complete.
  models::StepResult run_step(const memoryx::StepBatch& batch, bool last_of_run = false);
  const memoryx::ParameterStore& store() const { return memory_x_.store(); }

 private:
  void step_parts();                 // at now_
  fabric::Cycle next_event() const;  // of link and wafer
  bool at_rest() const;
  std::vector<models::Block> blocks() const;

  const models::WaferPlan& plan_;
  models::MeshOptions options_;
  memoryx::LinkTiming timing_;
  memoryx::PureStoreMemory memory_;
  memoryx::MemoryX memory_x_;
  memoryx::GradientReader reader_;
  memoryx::InLink in_;
  memoryx::OutLink out_;
  models::LinkPorts ports_;
  models::Mesh mesh_;
  models::StepCounters counters_;
  Stepping stepping_;
  fabric::Cycle now_ = 0;
  int steps_ = 0;                                      // that have been run
  fabric::Cycle stepped_ = models::MeshDriver::never;  // the cycle that the mesh was stepped for last
};

}  // namespace wafersim::tests
