#include "tools/trainer/prepared_run.h"

#include "tools/trainer/weights.h"
#include "workloads/closed_form.h"
#include "workloads/graph.h"
#include "workloads/mapping.h"

namespace wafersim::tools {
namespace {

workloads::Tokens read_tokens(const workloads::DataSpec& data) {
  return data.kind == workloads::DataSpec::Kind::text ? workloads::read_text(data.path) : workloads::read_token_file(data.path);
}

memoryx::TrainingSpec training_of(const workloads::RunSpec& spec) {
  memoryx::TrainingSpec training;
  training.update = spec.training.update;
  training.embedding = workloads::embedding_place(spec.model.shape);
  training.batch = spec.training.batch;
  training.sequence = spec.training.sequence;
  return training;
}

PreparedRun assemble(const workloads::RunSpec& spec, const workloads::LoweringSpec& lowering, const workloads::TrainingGraph& graph,
                     models::WaferPlan plan) {
  const workloads::ModelShape& shape = spec.model.shape;
  workloads::Tokens tokens = read_tokens(spec.data);
  workloads::check_tokens(tokens, shape.vocabulary, spec.training.sequence);
  memoryx::ParameterStore weights(workloads::parameter_table(shape));
  if (spec.initial_weights.empty()) {
    weights.initialise(spec.seed, spec.model.initializer_range);
  } else {
    load_weights(spec.initial_weights, weights);
  }
  const memoryx::TrainingSpec training = training_of(spec);
  return {spec,
          lowering,
          std::move(plan),
          workloads::bound_step(lowering, graph, spec.machine, training.update),
          workloads::bound_calls(lowering, graph, spec.machine),
          training,
          std::move(weights),
          std::move(tokens)};
}

workloads::TrainingGraph graph_of(const workloads::LoweringSpec& lowering) {
  return workloads::differentiate(workloads::build_model(lowering.shape), lowering.recompute);
}

}  // namespace

PreparedRun prepare_run(const workloads::RunSpec& spec) {
  workloads::Mapping mapping = workloads::choose_mapping(spec, spec.model.shape, spec.machine);
  const workloads::LoweringSpec lowering = workloads::lowering_spec(mapping, spec, spec.model.shape);
  return assemble(spec, lowering, graph_of(lowering), std::move(mapping.plan));
}

PreparedRun prepare_run(const workloads::RunSpec& spec, const workloads::LoweringSpec& lowering) {
  const workloads::TrainingGraph graph = graph_of(lowering);
  models::WaferPlan plan = workloads::lower(lowering, graph, spec.machine.core, spec.machine.sram);
  workloads::fill_closed_forms(plan, lowering, graph, spec.machine);
  return assemble(spec, lowering, graph, std::move(plan));
}

}  // namespace wafersim::tools
