#pragma once
// What the samples of an op depend on, as text: ops with one key take the same time.

#include <string>

#include "models/machine.h"
#include "models/plan.h"
#include "workloads/autodiff.h"
#include "workloads/sampling/sample_set.h"

namespace wafersim::workloads {

// Ops of a graph with one signature differ only in layer, parameters and in whether they run again. phases: bank_phases(graph).
std::string op_signature(const TrainingGraph& graph, const TrainingOp& op, const std::vector<int>& phases);

// SHA-256, in hexadecimal digits, of the layout of cache files, the op alone as a plan (programs, words of each PE, arguments, streams
// without which parameters they carry), the meshes of the set and what of the machine times depend on in cycles.
std::string sample_key(const models::WaferPlan& plan, const SampleSet& set, const models::MachineSpec& machine);

}  // namespace wafersim::workloads
