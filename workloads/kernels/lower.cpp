#include "workloads/kernels/lower.h"

#include <algorithm>
#include <utility>

#include "fabric/wavelet.h"
#include "sim/error.h"
#include "workloads/kernels/lowering.h"

namespace wafersim::workloads {

using models::KernelCall;
using sim::Dtype;

models::Program Lowering::emit_program(const KernelBuilder::Tables& tables) {
  models::Assembler assembler;
  KernelBuilder k(assembler, spec_.layout, spec_.type, tables);
  const ModelShape& shape = spec_.shape;
  const int head_rows = feature_map(Features::heads, shape, spec_.layout).per_column;
  emit_control(k, spec_.layout.lanes * spec_.layout.columns, spec_.layout.rows);
  tasks_.linear = emit_linear(k);
  tasks_.weight_gradient = emit_weight_gradient(k);
  tasks_.layer_norm = emit_layer_norm(k, shape.width, static_cast<float>(shape.layer_norm_epsilon));
  tasks_.layer_norm_gradient = emit_layer_norm_gradient(k, shape.width);
  tasks_.gelu = emit_gelu(k);
  tasks_.gelu_gradient = emit_gelu_gradient(k);
  tasks_.add = emit_add(k);
  tasks_.embedding = emit_embedding(k);
  tasks_.embedding_gradient = emit_embedding_gradient(k);
  tasks_.attention = emit_attention(k, shape.head(), head_rows);
  tasks_.attention_gradient = emit_attention_gradient(k, shape.head(), head_rows);
  tasks_.loss = emit_loss(k, shape.vocabulary, spec_.loss_outputs_per_pe);
  tasks_.logit_gradient = emit_logit_gradient(k, spec_.loss_outputs_per_pe);
  if (chunks() > 1) {
    tasks_.accumulate = emit_accumulate(k);
    tasks_.round = emit_round(k);
  }
  work_ = {attention_work_bytes(k, head_rows), attention_gradient_work_bytes(k, head_rows), loss_work_bytes(k, spec_.loss_outputs_per_pe)};
  signatures_ = k.signatures();
  return assembler.finish();
}

// Activations in phase 0 and gradients in phase 4 are read together without conflict; the second operand of a sum takes the other phase.
void Lowering::choose_phases() {
  for (const TrainingOp& op : graph_.ops) {
    for (const int t : op.outputs) phase_[static_cast<std::size_t>(t)] = op.backward ? 4 : 0;
  }
  for (const TrainingOp& op : graph_.ops)
    if (op.kind == TrainingKind::residual || op.kind == TrainingKind::gradient_sum)
      phase_[static_cast<std::size_t>(op.inputs[1])] = 4 - phase_[static_cast<std::size_t>(op.inputs[0])];
}

void Lowering::call(const TrainingOp& op, int task, const std::string& kernel, const std::string& phase, const Arguments& arguments,
                    memoryx::CallStream stream) {
  const std::vector<std::string>& names = signatures_.at(task);
  sim::require_invariant(names.size() == arguments.size(), "a call gives a kernel's arguments, no more and no fewer");
  call_table_.resize(call_table_.size() + argument_words);
  std::int32_t* row = &call_table_[call_table_.size() - argument_words];
  for (std::size_t i = 0; i < names.size(); ++i) row[i] = arguments.at(names[i]);
  starts_.push_back(fabric::control_payload(fabric::SwitchCommand::nop, false, task, static_cast<std::uint32_t>(plan_.calls.size())));
  KernelCall made;
  made.kernel = kernel;
  made.phase = phase;
  made.layer = op.layer;
  made.stream = std::move(stream);
  plan_.calls.push_back(std::move(made));
}

void Lowering::lower_linear(const TrainingOp& op, const FeatureMap& in, const FeatureMap& out, const WeightIndex& weight, int x, int y,
                            int bias, const char* phase) {
  StreamBuilder stream(spec_.layout, spec_.type);
  stream.linear_weights(in, out, weight);
  if (bias >= 0) stream.biases(out, offset(bias));
  const bool half = spec_.type == Dtype::f16;
  const int sums = half ? place(op.name + ": sums", tile32_bytes(out.per_column), 0) : y;
  const int partial = place(op.name + ": partial", vector_bytes(), 4);
  const Arguments arguments = {{"x", x},
                               {"inputs", in.per_column},
                               {"partial", partial},
                               {"sums", sums},
                               {"outputs", out.per_column},
                               {"y", y},
                               {"biases", bias >= 0 ? out.per_column : 0},
                               {"feed", stream.relayed_words()}};
  call(op, tasks_.linear, "linear", phase, arguments, stream.take());
}

void Lowering::lower_weight_gradient(const TrainingOp& op, const FeatureMap& in, const FeatureMap& out, const WeightIndex& weight, int x,
                                     int dy, int bias) {
  StreamBuilder stream(spec_.layout, spec_.type);
  stream.linear_gradients(in, out, weight, bias >= 0 ? offset(bias) : 0, bias >= 0);
  const int received = place(op.name + ": received", tile_bytes(1), 4), sums = place(op.name + ": sums", 4 * (in.per_column + 1), 0);
  call(op, tasks_.weight_gradient, "linear", "weight_gradient",
       {{"x", x},
        {"inputs", in.per_column},
        {"dy", dy},
        {"outputs", out.per_column},
        {"received", received},
        {"sums", sums},
        {"bias", bias >= 0 ? 1 : 0}},
       stream.take());
}

void Lowering::lower_op(const TrainingOp& op) {
  const auto in = [&](std::size_t i) { return address(op.inputs[i]); };
  const auto out = [&](std::size_t i) { return address(op.outputs[i]); };
  const auto rows = [&](int tensor) { return features(tensor).per_column; };
  const auto local_work = [&](int vectors) { return place(op.name + ": work", vectors * (vector_bytes() + 8), 0); };
  switch (op.kind) {
    case TrainingKind::embedding: {
      const FeatureMap map = features(op.outputs[0]);
      StreamBuilder stream(spec_.layout, spec_.type);
      stream.word(
          {memoryx::Port::Side::west, 0}, color_f0,
          {memoryx::StreamValue::Kind::control, 0, fabric::control_payload(fabric::SwitchCommand::nop, false, tasks_.embedding, 0), 0},
          false);
      stream.token_rows(map, offset(op.parameters[0]), spec_.shape.width);
      stream.position_rows(map, offset(op.parameters[1]), spec_.shape.width);
      memoryx::CallStream made = stream.take();
      made.in.front().control = true;
      const int positions = place("positions", tile_bytes(map.per_column), 4);
      return call(op, tasks_.embedding, "embedding", "forward", {{"x", out(0)}, {"positions", positions}, {"features", map.per_column}},
                  std::move(made));
    }
    case TrainingKind::layer_norm: {
      StreamBuilder stream(spec_.layout, spec_.type);
      stream.norm(features(op.inputs[0]), offset(op.parameters[0]), offset(op.parameters[1]));
      const int total = place(op.name + ": total", vector_bytes(), 4), work = place(op.name + ": work", vector_bytes(), 0);
      return call(op, tasks_.layer_norm, "layer_norm", "forward",
                  {{"x", in(0)},
                   {"y", out(0)},
                   {"mean", out(1)},
                   {"rstd", out(2)},
                   {"total", total},
                   {"work", work},
                   {"features", rows(op.inputs[0])}},
                  stream.take());
    }
    case TrainingKind::layer_norm_gradient: {
      const FeatureMap map = features(op.inputs[0]);
      StreamBuilder stream(spec_.layout, spec_.type);
      stream.norm(map, offset(op.parameters[0]), StreamBuilder::no_biases);
      stream.norm_gradients(map, offset(op.gradients[0]), offset(op.gradients[1]));
      const int products = place(op.name + ": products", tile32_bytes(map.per_column), 0),
                totals = place(op.name + ": totals", 2 * vector_bytes(), 4);
      const int normal = place(op.name + ": normal", vector_bytes(), 0), work = place(op.name + ": work", vector_bytes(), 4),
                sums = place(op.name + ": sums", 8 * map.per_column, 0);
      return call(op, tasks_.layer_norm_gradient, "layer_norm", "gradient",
                  {{"x", in(0)},
                   {"mean", in(1)},
                   {"rstd", in(2)},
                   {"dy", in(3)},
                   {"dx", out(0)},
                   {"products", products},
                   {"totals", totals},
                   {"normal", normal},
                   {"work", work},
                   {"sums", sums},
                   {"features", map.per_column}},
                  stream.take());
    }
    case TrainingKind::linear: {
      const FeatureMap from = features(op.inputs[0]), to = features(op.outputs[0]);
      return lower_linear(op, from, to, matrix(op.parameters[0], table_[op.parameters[0]].shape[1]), in(0), out(0), op.parameters[1],
                          "forward");
    }
    case TrainingKind::linear_weight_gradient:
      return lower_weight_gradient(op, features(op.inputs[0]), features(op.inputs[1]),
                                   matrix(op.gradients[0], table_[op.gradients[0]].shape[1]), in(0), in(1), op.gradients[1]);
    case TrainingKind::linear_input_gradient:
      return lower_linear(op, features(op.inputs[0]), features(op.outputs[0]),
                          transposed(matrix(op.parameters[0], table_[op.parameters[0]].shape[1])), in(0), out(0), -1, "input_gradient");
    case TrainingKind::attention: {
      const int work = place(op.name + ": work", work_.attention, 0);
      return call(op, tasks_.attention, "attention", "forward", {{"qkv", in(0)}, {"o", out(0)}, {"lse", out(1)}, {"work", work}}, {});
    }
    case TrainingKind::attention_gradient: {
      const int work = place(op.name + ": work", work_.attention_gradient, 0);
      return call(op, tasks_.attention_gradient, "attention", "gradient",
                  {{"qkv", in(0)}, {"o", in(1)}, {"lse", in(2)}, {"do", in(3)}, {"dqkv", out(0)}, {"work", work}}, {});
    }
    case TrainingKind::gelu:
      return call(op, tasks_.gelu, "gelu", "forward",
                  {{"x", in(0)}, {"y", out(0)}, {"work", local_work(4)}, {"features", rows(op.inputs[0])}}, {});
    case TrainingKind::gelu_gradient:
      return call(op, tasks_.gelu_gradient, "gelu", "gradient",
                  {{"x", in(0)}, {"dy", in(1)}, {"dx", out(0)}, {"work", local_work(5)}, {"features", rows(op.inputs[0])}}, {});
    case TrainingKind::residual:
      return call(op, tasks_.add, "residual", "forward", {{"a", in(0)}, {"b", in(1)}, {"y", out(0)}, {"features", rows(op.inputs[0])}}, {});
    case TrainingKind::gradient_sum:
      return call(op, tasks_.add, "residual", "gradient", {{"a", in(0)}, {"b", in(1)}, {"y", out(0)}, {"features", rows(op.inputs[0])}},
                  {});
    case TrainingKind::loss: return lower_loss(op);
    case TrainingKind::loss_gradient: return lower_loss_gradient(op);
    case TrainingKind::embedding_gradient: {
      const FeatureMap map = features(op.inputs[0]);
      StreamBuilder stream(spec_.layout, spec_.type);
      stream.token_gradients(map);
      return call(op, tasks_.embedding_gradient, "embedding", "gradient", {{"dx", in(0)}, {"features", map.per_column}}, stream.take());
    }
  }
}

models::WaferPlan Lowering::run() {
  const Layout& layout = spec_.layout;
  const FeatureMap residual = feature_map(Features::residual, spec_.shape, layout);
  int calls = 0;
  for (const TrainingOp& op : graph_.ops)
    calls += op.kind == TrainingKind::loss_gradient ? 3 * chunks() + (chunks() > 1 ? chunks() - (spec_.type == Dtype::f32 ? 1 : 0) : 0) : 1;
  sim::require_invariant(calls < 65536, "a step's calls have 16-bit numbers");

  KernelBuilder::Tables tables;
  tables.argument_words = argument_words;
  tables.calls = calls;
  tables.discard = allocator_.allocate("completion words", 8);
  tables.pe_words = allocator_.allocate("PE words", 4 * pe_word_count);
  tables.call_table = allocator_.allocate("call table", 4 * argument_words * calls);
  tables.start_table = allocator_.allocate("start table", 4 * calls);
  plan_.programs.push_back(emit_program(tables));
  allocator_.allocate("code and descriptors", models::program_bytes(plan_.programs[0], sram_.instruction_bytes, sram_.descriptor_bytes));

  choose_phases();
  const std::vector<int> last = last_uses(graph_);
  for (std::size_t i = 0; i < graph_.ops.size(); ++i) {
    const TrainingOp& op = graph_.ops[i];
    for (const int t : op.outputs) {
      const std::size_t n = static_cast<std::size_t>(t);
      const Tensor& tensor = graph_.tensors[n];
      address_[n] = allocator_.allocate(
          tensor.name, tensor.features == Features::statistic ? vector_bytes() : tile_bytes(features(t).per_column), phase_[n]);
    }
    lower_op(op);
    for (; !scratch_.empty(); scratch_.pop_back()) allocator_.free(scratch_.back());
    for (std::size_t t = 0; t < last.size(); ++t)
      if (last[t] == static_cast<int>(i)) allocator_.free(address_[t]);
  }
  sim::require_invariant(static_cast<int>(plan_.calls.size()) == calls, "the call table has a row for each call");

  plan_.width = layout.lanes * layout.columns;
  plan_.height = layout.rows;
  const int token_words = spec_.type == Dtype::f16 ? (residual.per_column + 1) / 2 : residual.per_column;
  plan_.routes = wafer_routes(layout, token_words);
  plan_.pe_class.assign(static_cast<std::size_t>(plan_.width) * static_cast<std::size_t>(plan_.height), 0);
  plan_.pe_words_address = tables.pe_words;
  plan_.words_per_pe = pe_word_count;
  plan_.pe_words = pe_words(layout, residual, spec_.shape.vocabulary, spec_.loss_outputs_per_pe);
  plan_.start_task = task_setup;
  const auto image = [&](int address, const void* data, std::size_t bytes) {
    const auto* first = static_cast<const std::uint8_t*>(data);
    plan_.memory.push_back({address, {first, first + bytes}});
  };
  image(tables.call_table, call_table_.data(), 4 * call_table_.size());
  image(tables.start_table, starts_.data(), 4 * starts_.size());
  plan_.sram = allocator_.map();
  return std::move(plan_);
}

models::WaferPlan lower(const LoweringSpec& spec, const TrainingGraph& graph, const models::CoreSpec& core, const models::SramSpec& sram) {
  models::WaferPlan plan = Lowering(spec, graph, sram).run();
  // A column's words wait behind one FIFO for the columns that are further along a row sum: the skew of the lane in outputs, each of h
  // words.
  int most = 0;
  for (const Features f : {Features::residual, Features::heads, Features::inner, Features::qkv})
    most = std::max(most, feature_map(f, spec.shape, spec.layout).per_column);
  const int per_output = most * spec.layout.tokens_per_pe / static_cast<int>(core.rate.mixed_fma) + core.output_switch_cycles;
  plan.edge_queue_words = most * (1 + (6 * spec.layout.columns + per_output - 1) / per_output);
  return plan;
}

}  // namespace wafersim::workloads
