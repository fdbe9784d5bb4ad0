#pragma once
// A small run for tests of mapping and estimates, and a simulated step of it.

#include "models/system.h"
#include "sim/config/tree.h"
#include "workloads/closed_form.h"
#include "workloads/graph.h"
#include "workloads/mapping.h"

namespace wafersim::workloads {

// GPT-2 of one layer, width 16, 2 heads, vocabulary 24; 4 samples of 8 tokens on 8 x 8 PEs of a cs2.
inline RunSpec small_run(sim::Dtype dtype = sim::Dtype::f16) {
  RunSpec run;
  run.model.shape = {24, 16, 16, 1, 2, 64, 1e-5, true};
  run.training.batch = 4;
  run.training.sequence = 8;
  run.training.steps = 1;
  run.dtype = dtype;
  if (dtype == sim::Dtype::f32) run.training.update.loss_scale = memoryx::no_loss_scale();
  run.machine.fabric.width = run.machine.fabric.height = 8;
  run.mapping.rectangle = {0, 0, 8, 8};
  return run;
}

inline Mapping map_run(const RunSpec& run) { return choose_mapping(run, run.model.shape, run.machine); }

// A mapped run lowered, with closed forms.
inline models::WaferPlan plan_of(const RunSpec& run, const Mapping& mapping) {
  const LoweringSpec spec = lowering_spec(mapping, run, run.model.shape);
  const TrainingGraph graph = differentiate(build_model(spec.shape), spec.recompute);
  models::WaferPlan plan = lower(spec, graph, run.machine.core, run.machine.sram);
  fill_closed_forms(plan, spec, graph, run.machine);
  return plan;
}

// The only step of the run. SystemC allows one a process.
inline models::StepResult simulate_step(const RunSpec& run, const models::WaferPlan& plan) {
  const ModelShape& shape = run.model.shape;
  memoryx::ParameterStore store(parameter_table(shape));
  store.initialise(1, 0.02);
  memoryx::TrainingSpec training;
  training.update = run.training.update;
  training.batch = run.training.batch;
  training.sequence = run.training.sequence;
  training.embedding = embedding_place(shape);
  memoryx::StepBatch batch;
  for (std::uint32_t i = 0; i < training.tokens(); ++i) {
    batch.tokens.push_back(i * 7 % static_cast<std::uint32_t>(shape.vocabulary));
    batch.targets.push_back(i * 5 % static_cast<std::uint32_t>(shape.vocabulary));
  }
  models::System system(run.machine, plan, std::move(store), training, {});
  return system.run_step(batch, true);
}

}  // namespace wafersim::workloads
