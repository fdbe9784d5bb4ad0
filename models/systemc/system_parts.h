#pragma once
// What a System is made of.

#include <memory>
#include <string>
#include <vector>

#include "memoryx/gradient_reader.h"
#include "models/step_counters.h"
#include "models/system.h"
#include "models/systemc/link_module.h"
#include "models/systemc/memory_tier.h"
#include "models/systemc/memory_x_module.h"
#include "models/systemc/swarm_module.h"
#include "models/systemc/wafer_module.h"

namespace wafersim::models {

// A wafer with its link; sends its gradients to `gradients`.
struct System::Wafer {
  Wafer(int number, const Parts& parts, const MachineSpec& machine, const SystemOptions& options, memoryx::InSource& weights,
        memoryx::GradientSink& gradients, Pause& pause);

  memoryx::GradientReader reader;
  LinkModule link;
  WaferModule wafer;
  StepCounters counters;
};

struct System::Parts {
  Parts(const MachineSpec& machine, const WaferPlan& plan, memoryx::ParameterStore store, const memoryx::TrainingSpec& training,
        const SystemOptions& options);

  void connect(const MachineSpec& machine, const SystemOptions& options, int systems);
  void simulate();  // until it is over or nothing is left to happen
  bool wafers_are_at_rest() const;
  bool step_is_complete() const;
  std::string stall(fabric::Cycle cycle) const;

  const WaferPlan& plan;
  sim::Hertz clock;
  Pause pause;
  int steps = 0;  // that have been run
  memoryx::LinkTiming timing;
  CycleClock store_clock;
  StoreSockets sockets;
  MemoryTier dram, flash;
  memoryx::MemoryX memory_x;
  MemoryXModule memory_x_module;
  std::unique_ptr<SwarmModule> swarm;  // before several wafers
  std::vector<std::unique_ptr<Wafer>> wafers;
  fabric::Cycle now = 0;
};

}  // namespace wafersim::models
