#pragma once
// The work of lowering one step (lower.h): allocates SRAM op by op and appends kernel calls to the plan. Private to the lowering files.

#include <map>

#include "models/sram_allocator.h"
#include "workloads/kernels/kernels.h"
#include "workloads/kernels/lower.h"
#include "workloads/kernels/streams.h"

namespace wafersim::workloads {

inline constexpr int argument_words = 12;

struct KernelTasks {
  int linear, weight_gradient, layer_norm, layer_norm_gradient, gelu, gelu_gradient, add, embedding, embedding_gradient, attention,
      attention_gradient, loss, logit_gradient, accumulate, round;
};

struct WorkBytes {
  int attention, attention_gradient, loss;
};

class Lowering {
 public:
  Lowering(const LoweringSpec& spec, const TrainingGraph& graph, const models::SramSpec& sram)
      : spec_(spec),
        graph_(graph),
        table_(parameter_table(spec.shape)),
        sram_(sram),
        allocator_(sram.bytes),
        address_(graph.tensors.size(), -1),
        phase_(graph.tensors.size(), 0) {}

  models::WaferPlan run();

 private:
  using Arguments = std::map<std::string, int>;

  models::Program emit_program(const KernelBuilder::Tables& tables);
  void choose_phases();
  void lower_op(const TrainingOp& op);
  void lower_linear(const TrainingOp& op, const FeatureMap& in, const FeatureMap& out, const WeightIndex& weight, int x, int y, int bias,
                    const char* phase);
  void lower_weight_gradient(const TrainingOp& op, const FeatureMap& in, const FeatureMap& out, const WeightIndex& weight, int x, int dy,
                             int bias);
  void lower_loss(const TrainingOp& op);
  void lower_loss_gradient(const TrainingOp& op);
  void call(const TrainingOp& op, int task, const std::string& kernel, const std::string& phase, const Arguments& arguments,
            memoryx::CallStream stream);

  FeatureMap features(int tensor) const {
    return feature_map(graph_.tensors[static_cast<std::size_t>(tensor)].features, spec_.shape, spec_.layout);
  }
  int address(int tensor) const { return address_[static_cast<std::size_t>(tensor)]; }
  std::uint32_t offset(int parameter) const { return static_cast<std::uint32_t>(table_[parameter].offset); }
  int pitch() const { return (spec_.layout.tokens_per_pe + 3) / 4 * 4; }
  int tile_bytes(int rows) const { return rows * pitch() * sim::bytes_of(spec_.type); }
  int tile32_bytes(int rows) const { return rows * pitch() * 4; }
  int vector_bytes() const { return pitch() * 4; }
  int place(const std::string& name, int bytes, int phase) {
    const int at = allocator_.allocate(name, bytes, phase);
    scratch_.push_back(at);
    return at;
  }
  WeightIndex matrix(int parameter, int outputs) const {
    const std::uint32_t base = offset(parameter);
    return [base, outputs](int i, int j) {
      return base + static_cast<std::uint32_t>(i) * static_cast<std::uint32_t>(outputs) + static_cast<std::uint32_t>(j);
    };
  }
  WeightIndex unembedding(int parameter) const {
    const std::uint32_t base = offset(parameter);
    const int width = spec_.shape.width;
    return [base, width](int i, int j) {
      return base + static_cast<std::uint32_t>(j) * static_cast<std::uint32_t>(width) + static_cast<std::uint32_t>(i);
    };
  }
  static WeightIndex transposed(const WeightIndex& weight) {
    return [weight](int i, int j) { return weight(j, i); };
  }
  int chunks() const { return (spec_.shape.vocabulary + chunk_size() - 1) / chunk_size(); }
  int chunk_size() const { return spec_.layout.columns * spec_.loss_outputs_per_pe; }
  FeatureMap chunk_outputs(int chunk) const;

  const LoweringSpec& spec_;
  const TrainingGraph& graph_;
  memoryx::ParameterTable table_;
  models::SramSpec sram_;
  models::SramAllocator allocator_;
  std::vector<int> address_, phase_, scratch_;
  std::map<int, std::vector<std::string>> signatures_;
  KernelTasks tasks_{};
  WorkBytes work_{};
  int targets_ = -1;
  std::vector<std::int32_t> call_table_;
  std::vector<std::uint32_t> starts_;
  models::WaferPlan plan_;
};

}  // namespace wafersim::workloads
