#pragma once
// A run made ready: all that can be wrong with its input has been found before time passes.

#include <optional>

#include "memoryx/parameter_store.h"
#include "memoryx/training.h"
#include "models/plan.h"
#include "tools/trainer/planned_call.h"
#include "workloads/autodiff.h"
#include "workloads/data.h"
#include "workloads/lowering_spec.h"
#include "workloads/roofline.h"
#include "workloads/run_spec.h"

namespace wafersim::tools {

struct PreparedRun {
  workloads::RunSpec spec;
  workloads::LoweringSpec lowering;  // shape, layout and type, on every system
  workloads::TrainingGraph graph;
  models::SramMap sram;            // of a PE
  int edge_queue_words = 0;        // of a port
  std::vector<PlannedCall> calls;  // of a micro-batch
  std::size_t parameters = 0;
  workloads::Bound bound;  // that no step is faster than
  memoryx::TrainingSpec training;
  std::optional<models::WaferPlan> plan;           // wavelet
  std::optional<memoryx::ParameterStore> weights;  // initial ones; with numerics on
  std::optional<workloads::Tokens> tokens;         // with numerics on

  int width() const { return lowering.layout.lanes * lowering.layout.columns; }
  int height() const { return lowering.layout.rows; }
  std::uint64_t pes() const { return static_cast<std::uint64_t>(width()) * static_cast<std::uint64_t>(height()); }
};

// Maps the run, reads its data and weights. Errors: config for bad files, plan when no mapping fits the machine or the model exceeds
// MemoryX, unsupported.
PreparedRun prepare_run(const workloads::RunSpec& spec);

// Of MemoryX: fp32 weight, gradient and two moments.
constexpr double stored_bytes(std::size_t parameters) { return 16.0 * static_cast<double>(parameters); }
// Error(plan) when the model exceeds MemoryX.
void check_store(const workloads::RunSpec& spec);

}  // namespace wafersim::tools
