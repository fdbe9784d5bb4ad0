#pragma once
// Runs the plan of one op (workloads/kernels/lower_alone.h) on a mesh whose edges always have words and room, and says what its calls took.

#include <array>
#include <vector>

#include "models/core_state.h"
#include "models/machine.h"
#include "models/plan.h"

namespace wafersim::workloads {

struct CallMeasurement {
  double period = 0;  // cycles from the first PE's start to the first PE's start of the next call
  double active = 0;  // to the last PE's completion
  // Of the mean PE:
  std::array<double, models::activities> cycles{};  // by models::Activity, from its start to its start of the next call
  double macs = 0;
  double hops = 0;  // of wavelets, from the north-west corner's start to its start of the next call
};

// Of the calls between the first and the last. Throws Error(invariant) when the mesh stops before the last call is done.
std::vector<CallMeasurement> measure_calls(const models::WaferPlan& plan, const models::MachineSpec& machine);

}  // namespace wafersim::workloads
