#pragma once
// One forward linear layer alone, fed from the edges: what the bench and the timing tests run. Weight (i, j) is parameter i * outputs + j.

#include "models/core_spec.h"
#include "models/plan.h"
#include "sim/dtype.h"
#include "workloads/layout.h"

namespace wafersim::workloads {

struct LinearPlan {
  models::WaferPlan plan;
  int x_address = 0;  // tile of the inputs: [features of a column][row_elements], in the run's type
  int y_address = 0;  // tile of the outputs
  int row_elements = 0;
  FeatureMap inputs, outputs;
};

// `inputs`, `outputs`: features, spread over the layout's columns, of which it has at most as many as rows. Throws Error(plan) when SRAM
// cannot hold the tiles.
LinearPlan linear_plan(const Layout& layout, int inputs, int outputs, sim::Dtype type, const models::SramSpec& sram);

}  // namespace wafersim::workloads
