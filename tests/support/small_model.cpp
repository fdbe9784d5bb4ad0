#include "tests/support/small_model.h"

#include <algorithm>
#include <utility>

#include "workloads/family.h"
#include "workloads/graph.h"
#include "workloads/masked_tokens.h"

namespace wafersim::tests {

using namespace workloads;

namespace {

Activation activation_of(Family family) {
  switch (family) {
    case Family::gpt2:
    case Family::gptj: return Activation::gelu_tanh;
    case Family::gpt_neox: return Activation::gelu_erf;
    case Family::llama: return Activation::silu;
    case Family::opt: return Activation::relu;
    case Family::bert: break;
  }
  return Activation::gelu_erf;
}

void set_family(const SmallModel& model, ModelShape& shape) {
  shape.family = model.family;
  shape.activation = model.activation.value_or(activation_of(model.family));
  if (model.family == Family::gpt2 || model.family == Family::opt) return;
  if (model.family == Family::bert) {
    shape.token_types = 2;
    shape.mask_token = shape.vocabulary - 1;
    return;
  }
  shape.kv_heads = model.kv_heads;
  shape.rotary = model.rotary;
  shape.rotary_base = 100.0;
  shape.parallel_residual = model.family == Family::gptj || (model.family == Family::gpt_neox && model.parallel_residual);
}

}  // namespace

LoweringSpec lowering_of(const SmallModel& model) {
  LoweringSpec spec;
  spec.shape.vocabulary = model.vocabulary;
  spec.shape.positions = std::max(64, model.sequence);
  spec.shape.width = model.width;
  spec.shape.layers = model.layers;
  spec.shape.heads = model.heads;
  spec.shape.inner = model.inner > 0 ? model.inner : 4 * model.width;
  set_family(model, spec.shape);
  spec.shape.tied = model.tied;
  Layout& layout = spec.layout;
  layout.batch = model.batch / model.systems / model.micro_batches;
  spec.swarm = {model.systems, model.fanout};
  spec.micro_batches = model.micro_batches;
  spec.recompute = recompute_first(model.recompute ? model.layers - model.kept_layers : 0, model.layers);
  layout.sequence = model.sequence;
  layout.heads = model.heads;
  layout.lanes = model.lanes;
  layout.columns_per_head = model.columns_per_head;
  layout.columns = model.heads * model.columns_per_head + model.further_columns;
  layout.rows = model.rows;
  layout.samples_per_lane = ceil_divide(layout.batch, model.lanes);
  layout.rows_per_sequence = model.rows_per_sequence > 0 ? model.rows_per_sequence : model.rows / layout.samples_per_lane;
  layout.tokens_per_pe = (model.sequence + layout.rows_per_sequence - 1) / layout.rows_per_sequence;
  spec.type = model.type;
  const int whole = (model.vocabulary + layout.columns - 1) / layout.columns;
  spec.loss_outputs_per_pe = model.loss_outputs_per_pe > 0 ? model.loss_outputs_per_pe : whole;
  return spec;
}

Experiment make_experiment(const LoweringSpec& lowering) {
  models::MachineSpec machine = models::machine_preset("cs2");
  machine.fabric.width = lowering.layout.lanes * lowering.layout.columns;
  machine.fabric.height = lowering.layout.rows;
  machine.swarmx.fanout = lowering.swarm.fanout;
  memoryx::ParameterStore store(parameter_table(lowering.shape));
  store.initialise(1, 0.1);
  memoryx::TrainingSpec training;
  training.update.clip = 1.0;
  if (lowering.type != sim::Dtype::f16) training.update.loss_scale = memoryx::no_loss_scale();
  training.batch = lowering.swarm.systems * lowering.micro_batches * lowering.layout.batch;
  training.sequence = lowering.layout.sequence;
  training.systems = lowering.swarm.systems;
  training.embedding = embedding_place(lowering.shape);
  return {lowering, differentiate(build_model(lowering.shape), lowering.recompute), std::move(machine), std::move(store), training};
}

Experiment make_experiment(const SmallModel& model) { return make_experiment(lowering_of(model)); }

reference::ReferenceTrainer Experiment::reference() const { return {lowering, training.update, store}; }

memoryx::StepBatch Experiment::batch(int step) const {
  const std::uint32_t vocabulary = static_cast<std::uint32_t>(lowering.shape.vocabulary), s = static_cast<std::uint32_t>(step);
  memoryx::StepBatch batch;
  for (std::uint32_t i = 0; i < training.tokens(); ++i) {
    batch.tokens.push_back((i * 7 + s * 3 + i * i) % vocabulary);
    batch.targets.push_back((i * 5 + s + 1) % vocabulary);
  }
  if (family_form(lowering.shape).causal) return batch;
  const Batch masked = mask_tokens({batch.tokens, {}}, lowering.shape.vocabulary, lowering.shape.mask_token, 1, s);
  return {masked.inputs, masked.targets};
}

void make_link_free(models::MachineSpec& machine) {
  machine.io.latency = 0.0;
  machine.io.edge_latency_cycles = 0;
  machine.io.bandwidth_override = 1e15;
  machine.io.edge_queue_words = 4096;
  machine.memoryx.bandwidth = 1e30;
  machine.memoryx.dram_latency = 0.0;
  machine.memoryx.prefetch_blocks = 1 << 20;
}

SmallModel main_job() {
  SmallModel model;
  model.vocabulary = 256;
  model.width = 64;
  model.layers = 2;
  model.heads = 4;
  model.batch = 4;
  model.sequence = 32;
  model.columns_per_head = 4;
  model.rows = 16;
  model.type = sim::Dtype::f16;
  return model;
}

SmallModel eight_columns() {
  SmallModel model;
  model.vocabulary = model.width = 64;
  model.heads = 4;
  model.rows = 16;
  model.sequence = 32;
  model.type = sim::Dtype::f16;
  return model;
}

}  // namespace wafersim::tests
