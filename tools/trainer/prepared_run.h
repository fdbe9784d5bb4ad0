#pragma once
// A run made ready: all that can be wrong with its input has been found before time passes.

#include "memoryx/parameter_store.h"
#include "memoryx/training.h"
#include "models/plan.h"
#include "workloads/data.h"
#include "workloads/kernels/lower.h"
#include "workloads/roofline.h"
#include "workloads/run_spec.h"

namespace wafersim::tools {

struct PreparedRun {
  workloads::RunSpec spec;
  workloads::LoweringSpec lowering;  // shape, layout and type that the plan is made for
  models::WaferPlan plan;
  workloads::Bound bound;           // that no step is faster than
  std::vector<double> call_bounds;  // cycles, by call of the plan
  memoryx::TrainingSpec training;
  memoryx::ParameterStore weights;  // initial ones
  workloads::Tokens tokens;
};

// Maps the run, reads its data and weights. Errors: config for bad files, plan when no mapping fits the machine, unsupported.
PreparedRun prepare_run(const workloads::RunSpec& spec);
// The same in a layout of the caller's. REQUIRES lowering.shape to be the run's.
PreparedRun prepare_run(const workloads::RunSpec& spec, const workloads::LoweringSpec& lowering);

}  // namespace wafersim::tools
