#pragma once
// Where in the SRAM's banks a tensor begins, so that operands that are read together do not meet in a bank.

#include <vector>

#include "workloads/autodiff.h"

namespace wafersim::workloads {

// Address modulo 8 of every tensor of the graph: 0 or 4.
std::vector<int> bank_phases(const TrainingGraph& graph);

}  // namespace wafersim::workloads
