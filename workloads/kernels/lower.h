#pragma once
// Lowering: a training graph in a layout becomes what a wafer executes. Every op, forward and backward, turns into kernel calls with
// arguments (addresses, counts) and streams; the programs exist once.

#include "models/core_spec.h"
#include "models/plan.h"
#include "workloads/autodiff.h"
#include "workloads/layout.h"
#include "workloads/model_shape.h"

namespace wafersim::workloads {

struct LoweringSpec {
  ModelShape shape;
  Layout layout;
  int loss_outputs_per_pe = 1;        // vocabulary entries of a chunk in each column
  sim::Dtype type = sim::Dtype::f32;  // storage: f32 or f16
};

// Throws Error(plan) when a PE's SRAM cannot hold it, naming the array.
models::WaferPlan lower(const LoweringSpec& spec, const TrainingGraph& graph, const models::CoreSpec& core, const models::SramSpec& sram);

}  // namespace wafersim::workloads
