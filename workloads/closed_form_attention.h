#pragma once
// Cycles of attention in closed form, on a sequence of as many rows as it takes and a head of `columns_per_head` columns of `head_rows`
// features each. Per block of the sequence's ring, over keys k with t - k queries (causal) or t:
//   forward: scores (multiply, pass on), their maxima over the head, the owner's softmax, probabilities relayed and multiplied with values,
//   and the travel of keys and values through the datapath;
//   gradient: scores and dP, P and dS at the owner, both relayed and multiplied into dV, dK and dQ, then the travel of the queries' block.

#include "workloads/instruction_cycles.h"
#include "workloads/layout.h"

namespace wafersim::workloads {

double attention_cycles(const InstructionCycles& at, const Layout& layout, int head_rows, bool causal);
double attention_gradient_cycles(const InstructionCycles& at, const Layout& layout, int head_rows, bool causal);

}  // namespace wafersim::workloads
