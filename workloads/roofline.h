#pragma once
// Lower bound of a step's time: unpadded work at peak rates. Simulated steps behind the first (models/system.h) are never faster in the
// mean, the last one with its updates among them.
//
//   kernels = max(multiply-adds, reads of SRAM, words between PEs), each summed over kernels, which run one after the other
//   forward = max(kernels, words in),  backward = max(kernels, gradients out)
//   step    = max(forward + backward, all words in, optimizer + backward)  when no update may start before the last gradient
//   step    = max(forward + backward, all words in, optimizer)             when each tensor is updated on arrival
// Of several micro-batches the first one's forward counts as forward, the kernels of all that follows as backward: gradients may leave
// during the next micro-batch's forward. What is computed again counts as backward. Forward and backward are serial because the first
// gradient follows the last forward kernel; words in may run ahead of their kernels and overlap with everything else. Updates overlap with
// the next step's forward kernels, which use every tensor: its backward ones follow the last update. What the wafer still does after the
// last gradient has left is to complete a kernel, which it also does between forward and backward: the update hides nothing by starting
// before the step ends. Multiply-adds: linears, their two gradients, causal attention without what its gradient computes again; peak: the
// fma of the run's type, every PE of the mapped rectangle at full rate. Words pass all channels of both edges evenly.

#include <algorithm>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "memoryx/update.h"
#include "models/machine.h"
#include "workloads/call_outline.h"

namespace wafersim::workloads {

struct Work {
  double macs = 0;
  double bytes_in = 0;
  double bytes_out = 0;
  double fabric_words = 0;  // over the busiest link between PEs: sums of a row, gradients' sums of a column, keys and values
};

enum class BoundBy { compute, sram, fabric, weight_stream, gradient_stream, optimizer };
const char* name(BoundBy by);

// Cycles that each resource needs for a call or several, with true tokens and features, every PE and link at full rate.
struct CallBound {
  double compute = 0;          // multiply-adds
  double sram = 0;             // an operand of each multiply-add from SRAM, the other from the fabric, sums in the accumulators' cache
  double fabric = 0;           // words over the busiest link between PEs
  double weight_stream = 0;    // words of its weights over all channels
  double gradient_stream = 0;  // words of its gradients
  // No call is faster: streams may run ahead and lag behind in queues.
  double least() const { return std::max({compute, sram, fabric}); }
  const char* by() const;  // the largest of all; empty where none is needed
  CallBound& operator+=(const CallBound& other);
  CallBound operator*(double times) const;
};
nlohmann::ordered_json bound_to_json(const CallBound& bound);
// In the order of the calls of a plan that is lowered from `spec` and `graph`.
std::vector<CallBound> bound_calls(const LoweringSpec& spec, const TrainingGraph& graph, const models::MachineSpec& machine);

struct Bound {
  struct Phase {
    Work work;
    CallBound needs;
  };
  Phase forward, backward;  // sums of the micro-batches
  double optimizer_cycles = 0;
  bool updates_wait = false;  // for the step's last gradient: clipping or dynamic loss scaling
  double macs_per_cycle = 0;  // peaks of the mapped rectangle and its link, each way
  double link_bytes_per_cycle = 0;
  double cycles = 0;
  BoundBy by = BoundBy::compute;  // what takes most of `cycles`
  double skipped_cycles = 0;      // of a step that no update holds up: a run's first, and one after a skipped step
  BoundBy skipped_by = BoundBy::compute;
};

// spec's layout gives the mapped rectangle.
Bound bound_step(const LoweringSpec& spec, const TrainingGraph& graph, const models::MachineSpec& machine,
                 const memoryx::UpdateSpec& update);

}  // namespace wafersim::workloads
