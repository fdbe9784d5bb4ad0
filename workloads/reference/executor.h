#pragma once
// One training step without time: the ops of a training graph one by one, in the layout, the orders and the roundings of the wafer
// (workloads/NUMERICS.md). What it returns is what a simulated wafer must produce, bit for bit.

#include <cstdint>
#include <vector>

#include "workloads/autodiff.h"
#include "workloads/lowering_spec.h"
#include "workloads/reference/tiles.h"

namespace wafersim::workloads::reference {

struct StepValues {
  double loss = 0.0;             // mean negative log likelihood of the tokens that have a target
  std::vector<float> gradients;  // flat, as they come to MemoryX: of the loss times the loss scale
  std::vector<Tiles> tensors;    // every tensor of the training graph, by number; of the last micro-batch of the last system
};

// `weights`: flat fp32 masters. tokens, targets [sample * sequence + position] of all systems and micro-batches, each below the vocabulary;
// targets may be memoryx::no_target. Throws Error(invariant) when sizes do not fit.
StepValues run_step(const LoweringSpec& spec, const TrainingGraph& graph, const std::vector<float>& weights,
                    const std::vector<std::uint32_t>& tokens, const std::vector<std::uint32_t>& targets, double loss_scale);

}  // namespace wafersim::workloads::reference
