#pragma once
// A step's kernel calls with known times as what the sampled simulation executes (models/step_schedule.h).

#include "models/machine.h"
#include "models/step_schedule.h"
#include "workloads/call_outline.h"

namespace wafersim::workloads {

struct CallTime {
  double active = 0;  // cycles, as models::ScheduledCall has them
  double period = 0;
};

// times: by call, in the order of outline_calls(spec, graph). edge_queue_words: of each port.
models::StepSchedule make_schedule(const LoweringSpec& spec, const TrainingGraph& graph, const std::vector<CallTime>& times,
                                   const models::MachineSpec& machine, int edge_queue_words);

}  // namespace wafersim::workloads
