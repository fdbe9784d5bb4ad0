#pragma once
// A model in a layout: all that decides what a wafer, or the reference without time, computes in a step.

#include "memoryx/swarm_sum.h"
#include "sim/dtype.h"
#include "workloads/layout.h"
#include "workloads/model_shape.h"
#include "workloads/recompute.h"

namespace wafersim::workloads {

struct LoweringSpec {
  ModelShape shape;
  Layout layout;
  int loss_outputs_per_pe = 1;        // vocabulary entries of a chunk in each column
  sim::Dtype type = sim::Dtype::f32;  // storage: f32 or f16
  int micro_batches = 1;              // of a step; layout.batch is the batch of one on one system
  Recompute recompute = {};
  memoryx::SwarmTree swarm = {};  // systems that share a step's batch, laid out alike

  // Outputs of a chunk of the vocabulary, padding included, and the chunks that it takes.
  int chunk_outputs() const { return layout.columns * loss_outputs_per_pe; }
  int chunks() const { return ceil_divide(shape.vocabulary, chunk_outputs()); }
};

}  // namespace wafersim::workloads
