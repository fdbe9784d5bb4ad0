#pragma once
// What a trace has to know of a run before its first step.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tools/trainer/prepared_run.h"

namespace wafersim::tools {

struct TracePlan {
  nlohmann::ordered_json origin;     // provenance without its host
  std::vector<PlannedCall> calls;    // of a micro-batch
  double clock = 0;                  // Hz
  double peak_macs = 0;              // of a wafer's mapped rectangle, a cycle
  int steps = 1;                     // of the run
  int link_channels = 0;             // of an edge
  double link_rate = 0;              // of an edge, bytes/s
  std::vector<std::string> systems;  // names of the systems that are simulated, each a process of the trace
  bool has_swarm = false;            // which is a process of its own, with MemoryX

  // A tensor of the parameter store; of the layer of the first call that reads it.
  struct Tensor {
    std::string name;
    int layer = -1;
  };
  std::vector<Tensor> tensors;

  // Weights on their way: tensors that a forward call reads and whose gradients another call of the micro-batch makes.
  struct WeightFlow {
    int from = 0, to = 0;
    std::string tensor;  // the first of them
  };
  std::vector<WeightFlow> flows;  // `to` ascending

  // The process of what systems share.
  int shared_process() const { return has_swarm ? static_cast<int>(systems.size()) : 0; }
};

TracePlan trace_plan(const PreparedRun& run);

}  // namespace wafersim::tools
