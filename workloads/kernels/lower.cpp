#include "workloads/kernels/lower.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <memory>
#include <utility>

#include "sim/error.h"
#include "workloads/call_outline.h"
#include "workloads/kernels/lowering.h"

namespace wafersim::workloads {

using models::KernelCall;

models::Program Lowering::emit_program() {
  models::Assembler assembler;
  KernelBuilder k(assembler, spec_.layout, spec_.type, tables_);
  const ModelShape& shape = spec_.shape;
  const AttentionShape heads{shape.head(), tile_rows(Features::heads, shape, spec_.layout), family_form(shape).causal};
  const bool loss_bias = !family_form(shape).unembedding_bias.empty();
  emit_control(k, spec_.layout.lanes * spec_.layout.columns, spec_.layout.rows);
  tasks_.linear = emit_linear(k);
  tasks_.weight_gradient = emit_weight_gradient(k);
  if (uses(TrainingKind::layer_norm)) tasks_.layer_norm = emit_layer_norm(k, shape.width, static_cast<float>(shape.layer_norm_epsilon));
  if (uses(TrainingKind::layer_norm_gradient)) tasks_.layer_norm_gradient = emit_layer_norm_gradient(k, shape.width);
  if (uses(TrainingKind::gelu)) tasks_.gelu = emit_gelu(k);
  if (uses(TrainingKind::gelu_gradient)) tasks_.gelu_gradient = emit_gelu_gradient(k);
  tasks_.add = emit_add(k);
  tasks_.embedding = emit_embedding(k, family_form(shape).row_kinds());
  tasks_.embedding_gradient = emit_embedding_gradient(k);
  tasks_.attention = emit_attention(k, heads);
  tasks_.attention_gradient = emit_attention_gradient(k, heads);
  tasks_.loss = emit_loss(k, shape.vocabulary, spec_.loss_outputs_per_pe, loss_bias);
  tasks_.logit_gradient = emit_logit_gradient(k, spec_.loss_outputs_per_pe, loss_bias);
  if (spec_.chunks() > 1) {
    tasks_.accumulate = emit_accumulate(k);
    tasks_.round = emit_round(k);
  }
  work_ = {attention_work_bytes(k, heads), attention_gradient_bytes(k, heads), gelu_work_bytes(k), gelu_gradient_work_bytes(k),
           loss_work_bytes(k, spec_.loss_outputs_per_pe)};
  emit_family_kernels(k);
  signatures_ = k.signatures();
  return assembler.finish();
}

void Lowering::call(const TrainingOp& op, int task, const char* kernel, const char* phase, const Arguments& arguments, StreamOf stream) {
  const std::vector<std::string>& names = signatures_.at(task);
  sim::require_invariant(names.size() == arguments.size(), "a call gives a kernel's arguments, no more and no fewer");
  Call streamed{task, {}, std::move(stream)};
  for (const std::string& argument : names) {
    const std::int64_t value = arguments.at(argument);
    if (value > std::numeric_limits<std::int32_t>::max())
      throw sim::Error(sim::ErrorCategory::plan,
                       fmt::format("{}: {} is {}, beyond a PE's integers of 32 bits; use more columns (mapping.features_per_pe)", op.name,
                                   argument, value));
    streamed.arguments.push_back(static_cast<std::int32_t>(value));
  }
  calls_.push_back(std::move(streamed));
  KernelCall made;
  made.kernel = kernel;
  made.phase = phase;
  made.layer = op.layer;
  plan_.calls.push_back(std::move(made));
}

// Kernels count the bytes of four fp32 tiles at most in one number.
void Lowering::require_countable_tiles() const {
  int most_rows = 0;
  for (const Tensor& tensor : graph_.tensors) most_rows = std::max(most_rows, tile_rows(tensor.features, spec_.shape, spec_.layout));
  if (tile32_bytes(most_rows) > std::numeric_limits<std::int32_t>::max() / 4)
    throw sim::Error(sim::ErrorCategory::plan, fmt::format("a tile of {} bytes is beyond a PE's integers of 32 bits; use smaller tiles "
                                                           "(mapping.tokens_per_pe, mapping.features_per_pe) or a larger mesh",
                                                           tile32_bytes(most_rows)));
}

void Lowering::place_tables() {
  require_countable_tiles();
  constexpr std::size_t most_calls = 65535;
  const std::size_t calls = outline_calls(spec_, graph_).size();
  if (calls > most_calls)
    throw sim::Error(sim::ErrorCategory::plan,
                     fmt::format("a step takes {} kernel calls, {} of them for chunks of {} entries of the vocabulary; at most {} can be "
                                 "numbered: use more columns (mapping.features_per_pe)",
                                 calls, spec_.chunks(), spec_.chunk_outputs(), most_calls));
  tables_.discard = allocator_.allocate("completion words", 8);
  tables_.pe_words = allocator_.allocate("PE words", 4 * (pe_word_count + rotary_pairs()));
  place_family_tables();
  tables_.arguments = allocator_.allocate("arguments", 4 * KernelBuilder::most_arguments);
  plan_.programs.push_back(emit_program());
  allocator_.allocate("code and descriptors", models::program_bytes(plan_.programs[0], sram_.instruction_bytes, sram_.descriptor_bytes));
}

void Lowering::place_tensor(int tensor, std::int64_t wide) {
  const std::size_t n = static_cast<std::size_t>(tensor);
  const std::int64_t narrow = kind(tensor) == Features::statistic ? vector_bytes() : tile_bytes(rows(tensor));
  address_[n] = allocator_.allocate(graph_.tensors[n].name, std::max(narrow, wide), phase_[n]);
}

void Lowering::narrow(int tensor) { allocator_.shrink(address(tensor), tile_bytes(rows(tensor))); }

int Lowering::replaced(const TrainingOp& op) const {
  std::size_t operand = 0;
  switch (op.kind) {
    case TrainingKind::gelu:
    case TrainingKind::rotary:
    case TrainingKind::rotary_gradient:
    case TrainingKind::residual:
    case TrainingKind::gradient_sum: break;
    case TrainingKind::gelu_gradient: operand = 1; break;
    default: return -1;
  }
  const int tensor = op.inputs[operand], made = op.outputs[0];
  const bool placed = address(made) >= 0;  // with what is kept
  return dies(tensor, op) && !placed && phase(tensor) == phase(made) ? tensor : -1;
}

void Lowering::place_outputs(const TrainingOp& op) {
  if (op.kind == TrainingKind::attention_gradient) return;  // lower_attention_gradient
  for (const int tensor : op.outputs)
    if (address(tensor) < 0) place_tensor(tensor, rounds_in_place(op) ? tile32_bytes(rows(tensor)) : 0);
}

// What the forward pass keeps for the backward pass stands together, so that it does not cut what is left into pieces. Of the last layer on
// no place is held before its time: until then all the others are there at once.
void Lowering::place_kept() {
  std::vector<bool> read(graph_.tensors.size());
  for (const TrainingOp& op : graph_.ops)
    if (op.backward)
      for (const int tensor : op.inputs) read[static_cast<std::size_t>(tensor)] = true;
  for (const TrainingOp& op : graph_.ops) {
    if (op.layer + 1 == spec_.shape.layers) return;
    if (rounds_in_place(op)) continue;
    for (const int tensor : op.outputs)
      if (read[static_cast<std::size_t>(tensor)]) place_tensor(tensor);
  }
}

void Lowering::place_step() {
  place_tables();
  std::vector<std::vector<int>> ends(graph_.ops.size());  // tensors by the op that uses them last
  for (std::size_t t = 0; t < last_use_.size(); ++t)
    if (last_use_[t] >= 0) ends[static_cast<std::size_t>(last_use_[t])].push_back(static_cast<int>(t));
  place_kept();
  for (std::size_t i = 0; i < graph_.ops.size(); ++i) {
    current_ = &graph_.ops[i];
    const int taken = replaced(*current_);
    if (taken >= 0) address_[static_cast<std::size_t>(current_->outputs[0])] = address(taken);
    place_outputs(*current_);
    lower_op(*current_);
    if (rounds_in_place(*current_)) narrow(current_->outputs[0]);
    free_scratch();
    for (const int tensor : ends[i])
      if (tensor != taken && !released_[static_cast<std::size_t>(tensor)]) release(tensor);
  }
}

models::WaferPlan Lowering::plan() {
  const Layout& layout = spec_.layout;
  const FeatureMap residual = feature_map(Features::residual, spec_.shape, layout);
  plan_.micro_batches = spec_.micro_batches;
  plan_.width = layout.lanes * layout.columns;
  plan_.height = layout.rows;
  plan_.routes = wafer_routes(layout, words_of(residual.per_column, spec_.type));
  plan_.pe_class.assign(static_cast<std::size_t>(plan_.width) * static_cast<std::size_t>(plan_.height), 0);
  plan_.pe_words_address = tables_.pe_words;
  plan_.words_per_pe = pe_word_count + rotary_pairs();
  plan_.pe_words = pe_words(layout, residual, spec_.shape.vocabulary, spec_.loss_outputs_per_pe, rotary_pairs());
  fill_family_tables();
  plan_.start_task = task_setup;
  plan_.sram = allocator_.map();
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    StreamBuilder stream(layout, spec_.type);
    stream.start(calls_[i].task, calls_[i].arguments);
    if (calls_[i].stream) calls_[i].stream(stream);
    plan_.calls[i].stream = stream.take();
  }
  return std::move(plan_);
}

namespace {

// memoryx/stream.h: an element of the store has a number of 32 bits, a row a length of 16.
void require_streamable(const ModelShape& shape) {
  constexpr std::size_t most_parameters = std::numeric_limits<std::uint32_t>::max();
  constexpr int widest = std::numeric_limits<std::uint16_t>::max();
  const std::size_t parameters = parameter_table(shape).size();
  if (parameters > most_parameters || shape.width > widest)
    throw sim::Error(sim::ErrorCategory::unsupported,
                     fmt::format("a model of {} parameters and width {} cannot be streamed word by word: at most {} and {}", parameters,
                                 shape.width, most_parameters, widest));
}

}  // namespace

int edge_queue_need(const LoweringSpec& spec, const TrainingGraph& graph, const models::CoreSpec& core) {
  int most = 0;
  for (const Tensor& tensor : graph.tensors) most = std::max(most, tile_rows(tensor.features, spec.shape, spec.layout));
  const double rate = std::max(core.rate.mixed_fma, core.rate.single_fma), macs = static_cast<double>(most) * spec.layout.tokens_per_pe;
  const double per_output = std::max(1.0, std::floor(macs / rate) + core.output_switch_cycles);
  return most * (1 + static_cast<int>(std::ceil(6 * spec.layout.columns / per_output)));
}

namespace {

// A step in its places, or why it has none and the op where that was found.
struct Placed {
  std::unique_ptr<Lowering> lowering;
  std::string refusal;
};

Placed place(const LoweringSpec& spec, const TrainingGraph& graph, const models::SramSpec& sram, const std::vector<int>& addresses) {
  Placed placed{std::make_unique<Lowering>(spec, graph, sram, addresses), {}};
  try {
    placed.lowering->place_step();
  } catch (const sim::Error& error) {
    if (error.category() != sim::ErrorCategory::plan) throw;
    placed.refusal = error.what();
  }
  return placed;
}

// First fit as the step goes; where only gaps are in the way, by lifetime.
Placed place(const LoweringSpec& spec, const TrainingGraph& graph, const models::SramSpec& sram) {
  Placed first = place(spec, graph, sram, {});
  if (!first.lowering->memory().refused_for_gaps()) return first;
  models::SramSpec endless = sram;
  endless.bytes = std::numeric_limits<int>::max();
  const Placed whole = place(spec, graph, endless, {});
  const std::vector<models::ArrayLifetime>& arrays = whole.lowering->memory().lifetimes();
  if (!whole.refusal.empty() || models::most_live_bytes(arrays) > sram.bytes) return first;
  Placed again = place(spec, graph, sram, models::place_by_lifetime(arrays));
  return again.refusal.empty() ? std::move(again) : std::move(first);
}

}  // namespace

models::WaferPlan lower(const LoweringSpec& spec, const TrainingGraph& graph, const models::CoreSpec& core, const models::SramSpec& sram) {
  const Placed placed = place(spec, graph, sram);
  if (!placed.refusal.empty()) throw sim::Error(sim::ErrorCategory::plan, placed.refusal);
  require_streamable(spec.shape);
  require_feeder_rows(spec.layout);
  models::WaferPlan plan = placed.lowering->plan();
  plan.edge_queue_words = edge_queue_need(spec, graph, core);
  return plan;
}

MemoryMap memory_map(const LoweringSpec& spec, const TrainingGraph& graph, const models::SramSpec& sram) {
  const Placed placed = place(spec, graph, sram);
  const TrainingOp* op = placed.refusal.empty() ? nullptr : placed.lowering->current();
  const bool loss_refused = op != nullptr && (op->kind == TrainingKind::loss || op->kind == TrainingKind::loss_gradient);
  return {placed.lowering->memory().map(), placed.refusal, loss_refused};
}

}  // namespace wafersim::workloads
