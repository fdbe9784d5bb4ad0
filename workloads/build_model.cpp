// The graph of a model, from the parts that the families share (family.h).
#include <fmt/format.h>

#include "sim/error.h"
#include "workloads/family.h"
#include "workloads/graph.h"

namespace wafersim::workloads {
namespace {

using Names = std::vector<std::string>;

// Adds ops one after the other; a tensor is named by its number.
class Builder {
 public:
  explicit Builder(const ModelShape& shape) : shape_(shape), form_(family_form(shape)), table_(parameter_table(shape)) {}

  ModelGraph run() {
    Names rows = {form_.token_rows};
    if (!form_.position_rows.empty()) rows.push_back(form_.position_rows);
    if (!form_.type_rows.empty()) rows.push_back(form_.type_rows);
    int x = add(OpKind::embedding, "embedding", {}, Features::residual, rows);
    if (!form_.embedding_norm.empty()) x = norm(form_.embedding_norm, x);
    for (layer_ = 0; layer_ < shape_.layers; ++layer_) x = block(fmt::format(fmt::runtime(form_.layer), layer_), x);
    layer_ = -1;
    Names unembedding = {form_.unembedding};
    if (!form_.unembedding_bias.empty()) unembedding.push_back(form_.unembedding_bias);
    add_vertex(OpKind::loss, "loss", {head(x)}, unembedding, 1);
    return model_;
  }

 private:
  // What the unembedding reads.
  int head(int x) {
    if (!form_.final_norm.empty()) x = norm(form_.final_norm, x);
    if (form_.head_dense.empty()) return x;
    x = linear("", {form_.head_dense}, "", x, Features::residual, true);
    return norm(form_.head_norm, add(activation(), form_.head_dense + ".act", {x}, Features::residual));
  }

  int block(const std::string& prefix, int x) {
    if (form_.post_norm) {
      x = norm(prefix + form_.attention_norm, residual(prefix + "residual_1", x, attention(prefix, x)));
      return norm(prefix + form_.mlp_norm, residual(prefix + "residual_2", x, mlp(prefix, x)));
    }
    const int read = norm(prefix + form_.attention_norm, x);
    const int attended = attention(prefix, read);
    if (shape_.parallel_residual) {
      const int changed = mlp(prefix, form_.mlp_norm.empty() ? read : norm(prefix + form_.mlp_norm, x));
      return residual(prefix + "residual_2", residual(prefix + "residual_1", x, attended), changed);
    }
    x = residual(prefix + "residual_1", x, attended);
    return residual(prefix + "residual_2", x, mlp(prefix, norm(prefix + form_.mlp_norm, x)));
  }

  int attention(const std::string& prefix, int x) {
    const bool grouped = shape_.group() > 1;
    int qkv = linear(prefix, form_.qkv, "attn.qkv", x, grouped ? Features::grouped_qkv : Features::qkv, form_.attention_bias);
    if (grouped) qkv = add(OpKind::share_keys, prefix + "share_keys", {qkv}, Features::qkv);
    if (shape_.rotary > 0) qkv = add(OpKind::rotary, prefix + "rotary", {qkv}, Features::qkv);
    const int out = add(OpKind::attention, prefix + "attn", {qkv}, Features::heads);
    return linear(prefix, {form_.attention_out}, "", out, Features::residual, form_.attention_bias);
  }

  int mlp(const std::string& prefix, int x) {
    const Features inner = form_.mlp_in.size() == 2 ? Features::gate_up : Features::inner;
    const int read = linear(prefix, form_.mlp_in, "mlp.gate_up", x, inner, form_.mlp_bias);
    const int y = add(activation(), prefix + "mlp.act", {read}, Features::inner);
    return linear(prefix, {form_.mlp_out}, "", y, Features::residual, form_.mlp_bias);
  }

  OpKind activation() const {
    switch (shape_.activation) {
      case Activation::gelu_tanh: return OpKind::gelu;
      case Activation::gelu_erf: return OpKind::gelu_erf;
      case Activation::relu: return OpKind::relu;
      case Activation::silu: break;
    }
    return OpKind::swiglu;
  }

  int norm(const std::string& op_name, int x) {
    if (form_.norm == NormKind::rms) return add(OpKind::rms_norm, op_name, {x}, Features::residual, {op_name + ".weight"});
    return add(OpKind::layer_norm, op_name, {x}, Features::residual, {op_name + ".weight", op_name + ".bias"});
  }

  // The matrices `parts` as one op, named `joint` when they are several.
  int linear(const std::string& prefix, const Names& parts, const std::string& joint, int x, Features output, bool bias) {
    Names parameters;
    for (const std::string& part : parts) parameters.push_back(prefix + part + ".weight");
    for (const std::string& part : parts)
      if (bias) parameters.push_back(prefix + part + ".bias");
    return add(OpKind::linear, prefix + (parts.size() == 1 ? parts[0] : joint), {x}, output, parameters, static_cast<int>(parts.size()));
  }

  int residual(const std::string& op_name, int x, int branch) { return add(OpKind::residual, op_name, {x, branch}, Features::residual); }

  // Returns the number of the op's output tensor.
  int add(OpKind kind, const std::string& op_name, const std::vector<int>& inputs, Features output, const Names& parameters = {},
          int matrices = 1) {
    add_vertex(kind, op_name, inputs, parameters, matrices);
    model_.tensors.push_back({op_name, output});
    return static_cast<int>(model_.tensors.size()) - 1;
  }

  void add_vertex(OpKind kind, const std::string& op_name, const std::vector<int>& inputs, const Names& parameters, int matrices) {
    std::vector<int> indices;
    for (const std::string& parameter : parameters) {
      indices.push_back(table_.find(parameter));
      sim::require_invariant(indices.back() >= 0, "an op names parameters of the table");
    }
    const auto vertex = boost::add_vertex(Op{kind, op_name, layer_, indices, matrices}, model_.graph);
    for (std::size_t operand = 0; operand < inputs.size(); ++operand)
      boost::add_edge(producer_[static_cast<std::size_t>(inputs[operand])], vertex, TensorUse{inputs[operand], static_cast<int>(operand)},
                      model_.graph);
    producer_.push_back(vertex);
  }

  const ModelShape& shape_;
  FamilyForm form_;
  memoryx::ParameterTable table_;
  int layer_ = -1;
  ModelGraph model_;
  std::vector<ModelGraph::Graph::vertex_descriptor> producer_;  // of each tensor
};

}  // namespace

ModelGraph build_model(const ModelShape& shape) { return Builder(shape).run(); }

}  // namespace wafersim::workloads
