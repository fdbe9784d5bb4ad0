#include "tools/trainer/prepared_run.h"

#include <fmt/format.h>

#include "memoryx/link_timing.h"
#include "sim/error.h"
#include "tools/trainer/host.h"
#include "tools/trainer/weights.h"
#include "workloads/closed_form.h"
#include "workloads/graph.h"
#include "workloads/kernels/lower.h"
#include "workloads/mapping.h"
#include "workloads/tensor_uses.h"

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
  training.systems = spec.systems;
  return training;
}

void check_host(const workloads::RunSpec& spec, std::size_t parameters) {
  const double bytes = stored_bytes(parameters);
  if (spec.numerics && bytes > static_cast<double>(host_memory_bytes()))
    throw sim::Error(sim::ErrorCategory::unsupported,
                     fmt::format("numerics = on: {} parameters with gradients and moments take {:.6g} bytes, more than this host has; set "
                                 "numerics = off",
                                 parameters, bytes));
}

std::vector<PlannedCall> plan_calls(const PreparedRun& run) {
  const std::vector<workloads::CallBound> bounds = workloads::bound_calls(run.lowering, run.graph, run.spec.machine);
  const workloads::TensorUses uses(run.lowering, run.graph);
  const auto tensors = [](const std::vector<memoryx::TensorUse>& all) {
    std::vector<int> numbers;
    for (const memoryx::TensorUse& use : all) numbers.push_back(use.tensor);
    return numbers;
  };
  std::vector<PlannedCall> calls;
  for (const workloads::CallOutline& call : workloads::outline_calls(run.lowering, run.graph)) {
    std::vector<memoryx::TensorUse> reads, gradients;
    uses.add(call, reads, gradients);
    calls.push_back({call.kernel, call.phase, call.layer, bounds[calls.size()],
                     workloads::closed_form_cycles(call, run.lowering, run.spec.machine), tensors(reads), tensors(gradients)});
  }
  return calls;
}

void read_numbers(PreparedRun& run) {
  const workloads::RunSpec& spec = run.spec;
  const workloads::ModelShape& shape = spec.model.shape;
  run.tokens = read_tokens(spec.data);
  workloads::check_tokens(*run.tokens, shape.vocabulary, spec.training.sequence);
  run.weights.emplace(workloads::parameter_table(shape));
  if (spec.initial_weights.empty()) {
    run.weights->initialise(spec.seed, spec.model.initializer_range);
  } else {
    load_weights(spec.initial_weights, *run.weights);
  }
}

}  // namespace

void check_store(const workloads::RunSpec& spec) {
  const std::size_t parameters = workloads::parameter_table(spec.model.shape).size();
  const double bytes = stored_bytes(parameters), capacity = spec.machine.memoryx.capacity;
  if (bytes > capacity)
    throw sim::Error(sim::ErrorCategory::plan,
                     fmt::format("memoryx.capacity = {:.10g} bytes: {} parameters with gradients and moments take {:.10g}; choose a larger "
                                 "MemoryX or a smaller model",
                                 capacity, parameters, bytes));
}

PreparedRun prepare_run(const workloads::RunSpec& spec) {
  const workloads::ModelShape& shape = spec.model.shape;
  const models::MachineSpec& machine = spec.machine;
  const std::size_t parameters = workloads::parameter_table(shape).size();
  check_store(spec);
  check_host(spec, parameters);
  workloads::Mapping mapping = workloads::choose_mapping(spec, shape, machine);
  PreparedRun run;
  run.spec = spec;
  run.lowering = workloads::lowering_spec(mapping, spec, shape);
  run.graph = workloads::differentiate(workloads::build_model(shape), run.lowering.recompute);
  run.sram = std::move(mapping.sram);
  run.parameters = parameters;
  run.calls = plan_calls(run);
  run.bound = workloads::bound_step(run.lowering, run.graph, machine, spec.training.update);
  run.training = training_of(spec);
  run.edge_queue_words = memoryx::edge_queue_words(machine.io, memoryx::make_link_timing(machine.io, machine.core.clock, run.height()),
                                                   workloads::edge_queue_need(run.lowering, run.graph, machine.core));
  if (spec.numerics) read_numbers(run);
  if (spec.fidelity == workloads::Fidelity::wavelet) run.plan = workloads::lower(run.lowering, run.graph, machine.core, machine.sram);
  return run;
}

}  // namespace wafersim::tools
