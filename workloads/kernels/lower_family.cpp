// Lowering of the ops that only some families have: their programs, the tables that these read, and their calls.
#include <algorithm>
#include <bit>

#include "workloads/head_map.h"
#include "workloads/kernels/lowering.h"

namespace wafersim::workloads {

bool Lowering::uses(TrainingKind kind) const {
  return std::any_of(graph_.ops.begin(), graph_.ops.end(), [kind](const TrainingOp& op) { return op.kind == kind; });
}

int Lowering::rotary_pairs() const { return spec_.shape.rotary > 0 ? head_rows(spec_.shape, spec_.layout.columns_per_head) / 2 : 0; }

void Lowering::place_family_tables() {
  if (rotary_pairs() > 0) slot_positions_ = allocator_.allocate("positions of slots", vector_bytes());
}

void Lowering::emit_family_kernels(KernelBuilder& k) {
  const ModelShape& shape = spec_.shape;
  const int rows = head_rows(shape, spec_.layout.columns_per_head);
  const auto emit = [&](TrainingKind kind, int task, std::int64_t work) {
    family_tasks_[kind] = task;
    family_work_[kind] = work;
  };
  const float epsilon = static_cast<float>(shape.layer_norm_epsilon);
  if (uses(TrainingKind::rms_norm)) emit(TrainingKind::rms_norm, emit_rms_norm(k, shape.width, epsilon), 0);
  if (uses(TrainingKind::rms_norm_gradient)) emit(TrainingKind::rms_norm_gradient, emit_rms_norm_gradient(k, shape.width), 0);
  if (uses(TrainingKind::share_keys) || uses(TrainingKind::share_keys_gradient)) {
    const KeyShape keys{shape.group(), rows, key_slices(shape, spec_.layout).rows};
    emit(TrainingKind::share_keys, emit_share_keys(k, keys), share_keys_work_bytes(k, keys));
    emit(TrainingKind::share_keys_gradient, emit_share_keys_gradient(k, keys), share_keys_work_bytes(k, keys));
  }
  if (uses(TrainingKind::rotary) || uses(TrainingKind::rotary_gradient)) {
    const int words = tables_.pe_words;
    const int task = emit_rotary(k, rows, {slot_positions_, words + 4 * word_row_position, words + 4 * pe_word_count});
    for (const TrainingKind kind : {TrainingKind::rotary, TrainingKind::rotary_gradient}) emit(kind, task, rotary_work_bytes(k));
  }
  if (uses(TrainingKind::gelu_erf)) emit(TrainingKind::gelu_erf, emit_gelu_erf(k), gelu_erf_work_bytes(k));
  if (uses(TrainingKind::gelu_erf_gradient))
    emit(TrainingKind::gelu_erf_gradient, emit_gelu_erf_gradient(k), gelu_erf_gradient_work_bytes(k));
  if (uses(TrainingKind::relu)) emit(TrainingKind::relu, emit_relu(k), 0);
  if (uses(TrainingKind::relu_gradient)) emit(TrainingKind::relu_gradient, emit_relu_gradient(k), relu_gradient_work_bytes(k));
  if (uses(TrainingKind::swiglu)) emit(TrainingKind::swiglu, emit_swiglu(k), swiglu_work_bytes(k));
  if (uses(TrainingKind::swiglu_gradient)) emit(TrainingKind::swiglu_gradient, emit_swiglu_gradient(k), swiglu_gradient_work_bytes(k));
}

void Lowering::fill_family_tables() {
  const ModelShape& shape = spec_.shape;
  const Layout& layout = spec_.layout;
  const HeadMap head = head_map(shape, layout.columns_per_head);
  const std::vector<float> frequencies = rotary_frequencies(shape);
  const KeySlices slices = key_slices(shape, layout);
  for (int y = 0; y < plan_.height; ++y)
    for (int x = 0; x < plan_.width; ++x) {
      const int lane_column = x % layout.columns, column = lane_column % layout.columns_per_head;
      std::int32_t* words =
          &plan_.pe_words[(static_cast<std::size_t>(y) * static_cast<std::size_t>(plan_.width) + static_cast<std::size_t>(x)) *
                          static_cast<std::size_t>(plan_.words_per_pe)];
      words[word_first_slice] = lane_column / slices.columns * slices.columns + column * slices.group;
      words[word_head_pairs] = head.pairs_of(column);
      words[word_row_position] = std::bit_cast<std::int32_t>(static_cast<float>(words[word_sequence_row]));
      for (int pair = 0; pair < head.pairs_of(column); ++pair)
        words[pe_word_count + pair] =
            std::bit_cast<std::int32_t>(frequencies[static_cast<std::size_t>(column * head.pairs_per_column + pair)]);
    }
  if (rotary_pairs() == 0) return;
  std::vector<float> positions;
  for (int slot = 0; slot < layout.tokens_per_pe; ++slot) positions.push_back(static_cast<float>(slot * layout.rows_per_sequence));
  const auto* first = reinterpret_cast<const std::uint8_t*>(positions.data());
  plan_.memory.push_back({slot_positions_, {first, first + 4 * positions.size()}});
}

void Lowering::lower_rms_norm(const TrainingOp& op) {
  const int total = scratch(op.name + ": total", vector_bytes(), 4), work = scratch(op.name + ": work", vector_bytes(), 0);
  call(op, family_tasks_.at(op.kind), "rms_norm", forward_phase(op),
       {{"x", address(op.inputs[0])},
        {"y", address(op.outputs[0])},
        {"rstd", address(op.outputs[1])},
        {"total", total},
        {"work", work},
        {"features", rows(op.inputs[0])}},
       [this, &op](StreamBuilder& stream) { stream.norm(features(op.inputs[0]), offset(op.parameters[0]), StreamBuilder::no_biases); });
}

void Lowering::lower_rms_norm_gradient(const TrainingOp& op) {
  const int places = rows(op.inputs[0]);
  const int products = scratch(op.name + ": products", tile32_bytes(places), 0), total = scratch(op.name + ": total", vector_bytes(), 4),
            normal = scratch(op.name + ": normal", vector_bytes(), 0), sums = scratch(op.name + ": sums", std::int64_t{4} * places, 0);
  call(op, family_tasks_.at(op.kind), "rms_norm", "gradient",
       {{"x", address(op.inputs[0])},
        {"rstd", address(op.inputs[1])},
        {"dy", address(op.inputs[2])},
        {"dx", address(op.outputs[0])},
        {"products", products},
        {"total", total},
        {"normal", normal},
        {"sums", sums},
        {"features", places}},
       [this, &op](StreamBuilder& stream) {
         const FeatureMap map = features(op.inputs[0]);
         stream.norm(map, offset(op.parameters[0]), StreamBuilder::no_biases);
         stream.norm_gradients(map, offset(op.gradients[0]), StreamBuilder::no_biases);
       });
}

void Lowering::lower_family_op(const TrainingOp& op, const char* kernel) {
  const auto in = [&](std::size_t i) { return address(op.inputs[i]); };
  const bool gradient = op.backward && !op.recompute;
  const char* phase = gradient ? "gradient" : forward_phase(op);
  const int task = family_tasks_.at(op.kind);
  Arguments arguments;
  if (family_work_.at(op.kind) > 0) arguments["work"] = scratch(op.name + ": work", family_work_.at(op.kind), 0);
  switch (op.kind) {
    case TrainingKind::share_keys: arguments.insert({{"x", in(0)}, {"y", address(op.outputs[0])}}); break;
    case TrainingKind::share_keys_gradient: arguments.insert({{"dy", in(0)}, {"dx", address(op.outputs[0])}}); break;
    case TrainingKind::rotary:
    case TrainingKind::rotary_gradient:
      arguments.insert({{"qkv", in(0)}, {"y", address(op.outputs[0])}, {"back", gradient ? 1 : 0}});
      break;
    default:  // activations: rows of the tile between activation and linear
      if (gradient)
        arguments.insert({{"x", in(0)}, {"dy", in(1)}, {"dx", address(op.outputs[0])}, {"features", rows(op.inputs[1])}});
      else
        arguments.insert({{"x", in(0)}, {"y", address(op.outputs[0])}, {"features", rows(op.outputs[0])}});
      break;
  }
  call(op, task, kernel, phase, arguments);
}

}  // namespace wafersim::workloads
