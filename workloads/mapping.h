#pragma once
// The search for a layout (design, section 6): micro-batches, keeping or recomputing activations, lanes, rows of a sequence (t tokens a
// PE), columns of a head (h features a PE) and chunks of the vocabulary on the mapped rectangle. Of those that fit SRAM (memory_map), the
// one with the fewest cycles by the closed forms. What the configuration pins stays as it is or is refused.

#include <string>
#include <vector>

#include "models/plan.h"
#include "workloads/kernels/lower.h"
#include "workloads/run_spec.h"

namespace wafersim::workloads {

struct Mapping {
  struct Padding {  // fractions that are padding
    double token_slots = 0;
    double features = 0;  // of the residual stream
    double vocabulary = 0;
  };
  struct Rejected {
    int lanes = 1, tokens_per_pe = 1, features_per_pe = 1, loss_outputs_per_pe = 1, micro_batches = 1;
    Recompute recompute;
    double estimated_cycles = 0;
    std::string reason;
  };

  Layout layout;  // rows are those of the rectangle, whether a sequence uses them or not
  int loss_outputs_per_pe = 1;
  int tokens_per_pe = 1;    // t
  int features_per_pe = 1;  // h, of the residual stream
  int micro_batches = 1;    // of a step; the layout's batch is that of one
  Recompute recompute;
  Padding padding;
  double estimated_cycles = 0;     // of a step
  std::vector<Rejected> rejected;  // at most five, the best first
  models::SramMap sram;            // of a PE
};

// Errors: config for pins that contradict each other, plan when nothing fits: the array and its bytes, and a tile that would fit, on this
// rectangle or on the mesh that it needs.
Mapping choose_mapping(const RunSpec& run, const ModelShape& shape, const models::MachineSpec& machine);

// What is to be lowered.
LoweringSpec lowering_spec(const Mapping& mapping, const RunSpec& run, const ModelShape& shape);

}  // namespace wafersim::workloads
