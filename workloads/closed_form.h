#pragma once
// Cycles of kernels in closed form (design, section 6), weights always ready. With N padded outputs of a layer, C columns and R rows of a
// lane, tiles of t tokens, h inputs a PE, i and i_w the issue cycles, T_R the ramp, b bytes a value:
//   linear, forward and input gradient:  N T_j + 2 (2 T_R + 2)(C - 1) + (C - 1),
//     T_j = h (ceil(t / rate) + i_w) + (t + i) + ceil(h b / 4) + k0; with C = 1 nothing is passed on: no (t + i).
//   weight gradient:  N T_j + (2 T_R + 2)(L R - 1) + (R + C - 2)(L - 1), L lanes,
//     T_j = 2 (ceil(t b / 4) + i) + h (ceil(t / rate) + i) + (h + i) + k0; C = 1: no relay.
//   kernel switch:  2 (W + H) hops, ramps and task switches: half of the hops gather the completions, half multicast the start. A call
//     counts from its first PE's start, so that the second half is part of the call.
// The other kernels are sums of their instructions along the critical path, the start's multicast (as far as a chain does not follow it
// more slowly) and the fill of their rings. Neglected: in linears and weight gradients the start, adding biases, rounding the sums, and the
// fill of the weight gradient's row rings; everywhere integer instructions outside the innermost loops, bank conflicts, waiting for words
// from the link, and what a feeder's relay takes of the datapath (but for the linears' term).

#include <vector>

#include "models/machine.h"
#include "models/plan.h"
#include "workloads/call_outline.h"

namespace wafersim::workloads {

// spec's layout gives the mesh; of the machine, core and fabric count.
double closed_form_cycles(const CallOutline& call, const LoweringSpec& spec, const models::MachineSpec& machine);
// Of a call that streams gradients out, the cycles before the first of them comes to the edge; of one that streams words in, those after
// the last has come to its PE. Others: 0.
struct CallEnds {
  double fill = 0, drain = 0;
};
CallEnds call_ends(const CallOutline& call, const LoweringSpec& spec, const models::MachineSpec& machine);
// From the last PE's completion of a call to the first PE's start of the next: gathering completions.
double kernel_switch_cycles(const Layout& layout, const models::MachineSpec& machine);

// Estimate of a step, all micro-batches: for each call the longest of its closed form and its streams' time on the link, and the kernel
// switches.
double estimate_step_cycles(const LoweringSpec& spec, const TrainingGraph& graph, const models::MachineSpec& machine);

// Sets closed_form_cycles of every call of a plan that was lowered from `spec` and `graph`.
void fill_closed_forms(models::WaferPlan& plan, const LoweringSpec& spec, const TrainingGraph& graph, const models::MachineSpec& machine);

}  // namespace wafersim::workloads
