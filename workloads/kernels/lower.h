#pragma once
// Lowering: a training graph in a layout becomes what a wafer executes. Every op, forward and backward, turns into kernel calls with
// arguments (addresses, counts) and streams; the programs exist once.

#include <string>

#include "models/core_spec.h"
#include "models/plan.h"
#include "workloads/autodiff.h"
#include "workloads/lowering_spec.h"

namespace wafersim::workloads {

// Errors: plan when a PE's SRAM cannot hold a step, naming the array and its bytes; unsupported for a model whose numbers a stream's words
// cannot carry.
models::WaferPlan lower(const LoweringSpec& spec, const TrainingGraph& graph, const models::CoreSpec& core, const models::SramSpec& sram);

// Words that each edge queue needs for the skew of a lane: a column's words wait behind one FIFO for the columns that are further along a
// row sum. So many outputs, each of h words.
int edge_queue_need(const LoweringSpec& spec, const TrainingGraph& graph, const models::CoreSpec& core);

// What lower() takes of a PE's SRAM.
struct MemoryMap {
  models::SramMap sram;
  std::string refusal;        // empty when all fits; else the array that does not, its bytes and what is in use
  bool loss_refused = false;  // it is of the loss or its gradient: smaller chunks of the vocabulary could help
};

// The same allocation by the same code, without streams, routes and tables: takes time with the number of calls, not of weights or PEs.
MemoryMap memory_map(const LoweringSpec& spec, const TrainingGraph& graph, const models::SramSpec& sram);

}  // namespace wafersim::workloads
