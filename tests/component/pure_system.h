#pragma once
// The same machine as models/system.h without SystemC: every part is stepped at every cycle, the link before the wafer.

#include <vector>

#include "memoryx/memory_x.h"
#include "models/link_ports.h"
#include "models/machine.h"
#include "models/mesh.h"

namespace wafersim::models {

class PureSystem {
 public:
  PureSystem(const MachineSpec& machine, const WaferPlan& plan, memoryx::ParameterStore store, const memoryx::TrainingSpec& training,
             const MeshOptions& options)
      : timing_(memoryx::make_link_timing(machine.io, machine.core.clock, plan.height)),
        memory_x_(machine.memoryx, machine.core.clock, training, std::move(store), streams_of(plan), timing_),
        in_(timing_, plan.edge_queue_words, memory_x_.streamer()),
        out_(timing_, plan.edge_queue_words, memory_x_.collector()),
        ports_(in_, out_),
        mesh_(plan, machine.fabric, machine.core, options, &ports_) {}

  struct Step {
    memoryx::MemoryX::StepEnd end;
    fabric::Cycle gradients = 0;
  };
  // Gives up after `longest` cycles with the gradients' cycle 0.
  Step run_step(const memoryx::StepBatch& batch, fabric::Cycle longest = 100000) {
    memory_x_.begin_step(now_, batch);
    for (const fabric::Cycle end = now_ + longest; now_ < end; ++now_) {
      in_.step(now_);
      out_.step(now_);
      mesh_.driver().step(now_);
      if (!memory_x_.gradients_complete()) continue;
      const Step step{memory_x_.finish_step(now_), now_};
      for (++now_; now_ < step.end.cycle; ++now_) mesh_.driver().step(now_);
      return step;
    }
    return {};
  }

  const memoryx::ParameterStore& store() const { return memory_x_.store(); }
  Mesh& mesh() { return mesh_; }

 private:
  static std::vector<const memoryx::CallStream*> streams_of(const WaferPlan& plan) {
    std::vector<const memoryx::CallStream*> streams;
    for (const KernelCall& call : plan.calls) streams.push_back(&call.stream);
    return streams;
  }

  memoryx::LinkTiming timing_;
  memoryx::MemoryX memory_x_;
  memoryx::InLink in_;
  memoryx::OutLink out_;
  LinkPorts ports_;
  Mesh mesh_;
  fabric::Cycle now_ = 0;
};

}  // namespace wafersim::models
