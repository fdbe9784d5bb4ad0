#pragma once
// One op of a training graph as a plan of its own, to be timed: a short local call, the op's calls, and the local call again, so that the
// op's words wait at the wafer when it starts and the start of what follows it can be seen.

#include "models/core_spec.h"
#include "models/plan.h"
#include "workloads/autodiff.h"
#include "workloads/kernels/lower.h"

namespace wafersim::workloads {

// op: index in graph.ops. Tensors lie in the bank phases that they have in the whole graph. Calls 1 ... calls.size() - 2 are the op's.
// An op without weights may lie on a mesh without feeder rows.
// Throws Error(plan) when a PE's SRAM cannot hold it.
models::WaferPlan lower_alone(const LoweringSpec& spec, const TrainingGraph& graph, std::size_t op, const models::SramSpec& sram);

}  // namespace wafersim::workloads
