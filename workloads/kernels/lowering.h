#pragma once
// The work of lowering one step (lower.h): allocates SRAM op by op and lists kernel calls, whose streams are built only for a plan.
// Private to the lowering files.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "models/sram_allocator.h"
#include "workloads/kernels/bank_phases.h"
#include "workloads/kernels/kernels.h"
#include "workloads/kernels/lower.h"
#include "workloads/kernels/streams.h"
#include "workloads/linear_place.h"

namespace wafersim::workloads {

struct KernelTasks {
  int linear, weight_gradient, layer_norm, layer_norm_gradient, gelu, gelu_gradient, add, embedding, embedding_gradient, attention,
      attention_gradient, loss, logit_gradient, accumulate, round;
};

// Of the kernels' work areas.
struct WorkBytes {
  std::int64_t attention;
  AttentionGradientBytes attention_gradient;
  std::int64_t gelu, gelu_gradient, loss;
};

class Lowering {
 public:
  // addresses: of the arrays in the order in which the step places them; empty: first fit.
  Lowering(const LoweringSpec& spec, const TrainingGraph& graph, const models::SramSpec& sram, const std::vector<int>& addresses = {})
      : spec_(spec),
        graph_(graph),
        table_(parameter_table(spec.shape)),
        sram_(sram),
        allocator_(sram.bytes, addresses),
        address_(graph.tensors.size(), -1),
        phase_(bank_phases(graph)),
        last_use_(last_uses(graph)),
        released_(graph.tensors.size()) {}

  // Places programs, tables and tensors and lists the calls. Throws Error(plan) when something does not fit.
  void place_step();
  // The same for one op of the graph between two short local calls (lower_alone.h).
  void place_alone(const TrainingOp& op);
  // The op that place_step is at; null before the first.
  const TrainingOp* current() const { return current_; }
  const models::SramAllocator& memory() const { return allocator_; }
  // Everything, after place_step or place_alone.
  models::WaferPlan plan();

 private:
  using Arguments = std::map<std::string, std::int64_t>;
  using StreamOf = std::function<void(StreamBuilder&)>;

  // A linear layer's part: tensors' rows in a tile, and the stream of its matrix.
  struct Matrix {
    int inputs, outputs;  // rows of a tile
    std::function<FeatureMap()> input_map, output_map;
    WeightIndex weight;
    BiasIndex bias;  // of the outputs; empty: none
    Matrix transposed() const {
      const WeightIndex w = weight;
      return {outputs, inputs, output_map, input_map, [w](int i, int j) { return w(j, i); }, {}};
    }
  };

  void require_countable_tiles() const;
  models::Program emit_program();
  void place_tables();
  // `wide`: bytes until narrow() is called, if more than its own.
  void place_tensor(int tensor, std::int64_t wide = 0);
  void narrow(int tensor);
  // Makes its output in fp32, in the output's own place, and rounds it there at the end.
  bool rounds_in_place(const TrainingOp& op) const {
    return sim::is_half(spec_.type) && (op.kind == TrainingKind::linear || op.kind == TrainingKind::linear_input_gradient);
  }
  // The tensor in whose place an op that works slot by slot may put its output: it is not read again. -1: none.
  int replaced(const TrainingOp& op) const;
  void place_outputs(const TrainingOp& op);
  void place_kept();
  void pause(const TrainingOp& op);
  void lower_op(const TrainingOp& op);
  void lower_embedding(const TrainingOp& op);
  void lower_layer_norm(const TrainingOp& op);
  void lower_layer_norm_gradient(const TrainingOp& op);
  void lower_attention_gradient(const TrainingOp& op);
  void lower_linear(const TrainingOp& op, const Matrix& matrix, int x, int y, const char* phase);
  void lower_weight_gradient(const TrainingOp& op, const Matrix& matrix, int x, int dy);
  // Of ops that only some families have (lower_family.cpp).
  bool uses(TrainingKind kind) const;
  int rotary_pairs() const;  // most of a column
  void place_family_tables();
  void emit_family_kernels(KernelBuilder& k);
  void fill_family_tables();
  void lower_rms_norm(const TrainingOp& op);
  void lower_rms_norm_gradient(const TrainingOp& op);
  void lower_family_op(const TrainingOp& op, const char* kernel);
  void lower_loss(const TrainingOp& op);
  void lower_loss_gradient(const TrainingOp& op);
  std::int64_t chunk_words(const TrainingOp& op) const;
  void lower_logit_gradient(const TrainingOp& op, int chunk, int dy);
  void call(const TrainingOp& op, int task, const char* kernel, const char* phase, const Arguments& arguments, StreamOf stream = {});

  Features kind(int tensor) const { return graph_.tensors[static_cast<std::size_t>(tensor)].features; }
  int rows(int tensor) const { return tile_rows(kind(tensor), spec_.shape, spec_.layout); }
  FeatureMap features(int tensor) const { return feature_map(kind(tensor), spec_.shape, spec_.layout); }
  int phase(int tensor) const { return phase_[static_cast<std::size_t>(tensor)]; }
  bool dies(int tensor, const TrainingOp& op) const {
    return &graph_.ops[static_cast<std::size_t>(last_use_[static_cast<std::size_t>(tensor)])] == &op;
  }
  void release(int tensor) {
    allocator_.free(address(tensor));
    released_[static_cast<std::size_t>(tensor)] = true;
  }
  int address(int tensor) const { return address_[static_cast<std::size_t>(tensor)]; }
  std::uint32_t offset(int parameter) const { return static_cast<std::uint32_t>(table_[parameter].offset); }
  std::int64_t tile_bytes(int rows) const { return std::int64_t{rows} * spec_.layout.pitch() * sim::bytes_of(spec_.type); }
  std::int64_t tile32_bytes(int rows) const { return std::int64_t{rows} * spec_.layout.pitch() * 4; }
  std::int64_t vector_bytes() const { return tile32_bytes(1); }
  // Until the op ends.
  int scratch(const std::string& name, std::int64_t bytes, int phase) {
    scratch_.push_back(allocator_.allocate(name, bytes, phase));
    return scratch_.back();
  }
  void free_scratch(std::size_t kept = 0) {
    for (; scratch_.size() > kept; scratch_.pop_back()) allocator_.free(scratch_.back());
  }
  // Of a linear op from tensor `from` to tensor `to`.
  Matrix matrix(const std::vector<int>& parameters, int from, int to) const;
  Matrix unembedding(const std::vector<int>& parameters, int x, int chunk) const;

  const LoweringSpec& spec_;
  const TrainingGraph& graph_;
  memoryx::ParameterTable table_;
  models::SramSpec sram_;
  models::SramAllocator allocator_;
  std::vector<int> address_, phase_, scratch_;
  std::vector<int> last_use_;  // of each tensor: index of an op
  std::vector<bool> released_;
  std::map<int, std::vector<std::string>> signatures_;
  KernelBuilder::Tables tables_;
  KernelTasks tasks_{};
  WorkBytes work_{};
  std::map<TrainingKind, int> family_tasks_;
  std::map<TrainingKind, std::int64_t> family_work_;
  int slot_positions_ = -1;  // address
  int targets_ = -1;
  const TrainingOp* current_ = nullptr;
  struct Call {
    int task;
    std::vector<std::int32_t> arguments;
    StreamOf stream;  // empty: nothing but its start
  };
  std::vector<Call> calls_;
  models::WaferPlan plan_;
};

}  // namespace wafersim::workloads
