#include "workloads/graph.h"

#include <algorithm>
#include <boost/graph/topological_sort.hpp>
#include <boost/range/iterator_range.hpp>
#include <fmt/format.h>
#include <iterator>
#include <nlohmann/json.hpp>

#include "sim/error.h"

namespace wafersim::workloads {
namespace {

// Adds ops one after the other; a tensor is named by its number.
class Builder {
 public:
  explicit Builder(const ModelShape& shape) : table_(parameter_table(shape)) {}

  // Returns the number of the op's output tensor.
  int add(OpKind kind, const std::string& op_name, int layer, const std::vector<int>& inputs, Features output,
          const std::vector<std::string>& parameters = {}) {
    add_vertex(kind, op_name, layer, inputs, parameters);
    model_.tensors.push_back({op_name, output});
    return static_cast<int>(model_.tensors.size()) - 1;
  }

  void add_loss(int input, const std::string& matrix) { add_vertex(OpKind::loss, "loss", -1, {input}, {matrix}); }

  const ModelGraph& model() const { return model_; }

 private:
  void add_vertex(OpKind kind, const std::string& op_name, int layer, const std::vector<int>& inputs,
                  const std::vector<std::string>& parameters) {
    std::vector<int> indices;
    for (const std::string& parameter : parameters) {
      indices.push_back(table_.find(parameter));
      sim::require_invariant(indices.back() >= 0, "an op names parameters of the table");
    }
    const auto vertex = boost::add_vertex(Op{kind, op_name, layer, indices}, model_.graph);
    for (std::size_t operand = 0; operand < inputs.size(); ++operand)
      boost::add_edge(producer_[static_cast<std::size_t>(inputs[operand])], vertex, TensorUse{inputs[operand], static_cast<int>(operand)},
                      model_.graph);
    producer_.push_back(vertex);
  }

  memoryx::ParameterTable table_;
  ModelGraph model_;
  std::vector<ModelGraph::Graph::vertex_descriptor> producer_;  // of each tensor
};

}  // namespace

std::vector<int> execution_order(const ModelGraph& model) {
  std::vector<int> order;
  try {
    std::vector<boost::default_color_type> colors(boost::num_vertices(model.graph));
    const auto color_of = boost::make_iterator_property_map(colors.begin(), boost::get(boost::vertex_index, model.graph));
    boost::topological_sort(model.graph, std::back_inserter(order), boost::color_map(color_of));
  } catch (const boost::not_a_dag&) {
    throw sim::Error(sim::ErrorCategory::invariant, "model graph: the ops form a loop");
  }
  std::reverse(order.begin(), order.end());
  return order;
}

std::vector<int> inputs_of(const ModelGraph& model, int vertex) {
  const auto edges = boost::make_iterator_range(boost::in_edges(static_cast<std::size_t>(vertex), model.graph));
  std::vector<int> inputs(static_cast<std::size_t>(edges.size()));
  for (const auto edge : edges) inputs[static_cast<std::size_t>(model.graph[edge].operand)] = model.graph[edge].tensor;
  return inputs;
}

int output_of(const ModelGraph& model, int vertex) {
  const auto edges = boost::make_iterator_range(boost::out_edges(static_cast<std::size_t>(vertex), model.graph));
  return edges.empty() ? -1 : model.graph[*edges.begin()].tensor;
}

ModelGraph build_gpt2(const ModelShape& shape) {
  Builder build(shape);
  const auto norm = [&](const std::string& name, int layer, int x) {
    return build.add(OpKind::layer_norm, name, layer, {x}, Features::residual, {name + ".weight", name + ".bias"});
  };
  const auto linear = [&](const std::string& name, int layer, int x, Features output) {
    return build.add(OpKind::linear, name, layer, {x}, output, {name + ".weight", name + ".bias"});
  };
  int x = build.add(OpKind::embedding, "embedding", -1, {}, Features::residual, {"wte.weight", "wpe.weight"});
  for (int layer = 0; layer < shape.layers; ++layer) {
    const std::string prefix = fmt::format("h.{}.", layer);
    int branch = norm(prefix + "ln_1", layer, x);
    branch = linear(prefix + "attn.c_attn", layer, branch, Features::qkv);
    branch = build.add(OpKind::attention, prefix + "attn", layer, {branch}, Features::heads);
    branch = linear(prefix + "attn.c_proj", layer, branch, Features::residual);
    x = build.add(OpKind::residual, prefix + "residual_1", layer, {x, branch}, Features::residual);
    branch = norm(prefix + "ln_2", layer, x);
    branch = linear(prefix + "mlp.c_fc", layer, branch, Features::inner);
    branch = build.add(OpKind::gelu, prefix + "mlp.act", layer, {branch}, Features::inner);
    branch = linear(prefix + "mlp.c_proj", layer, branch, Features::residual);
    x = build.add(OpKind::residual, prefix + "residual_2", layer, {x, branch}, Features::residual);
  }
  build.add_loss(norm("ln_f", -1, x), shape.tied ? "wte.weight" : "lm_head.weight");
  return build.model();
}

void to_json(nlohmann::json& out, const ModelGraph& model) {
  out = {{"ops", nlohmann::json::array()}, {"tensors", nlohmann::json::array()}, {"edges", nlohmann::json::array()}};
  for (const auto vertex : boost::make_iterator_range(boost::vertices(model.graph))) {
    const Op& op = model.graph[vertex];
    out["ops"].push_back({{"name", op.name}, {"kind", name(op.kind)}, {"layer", op.layer}, {"parameters", op.parameters}});
  }
  for (const Tensor& tensor : model.tensors) out["tensors"].push_back({{"name", tensor.name}, {"features", name(tensor.features)}});
  for (const auto edge : boost::make_iterator_range(boost::edges(model.graph)))
    out["edges"].push_back({{"from", boost::source(edge, model.graph)},
                            {"to", boost::target(edge, model.graph)},
                            {"tensor", model.graph[edge].tensor},
                            {"operand", model.graph[edge].operand}});
}

}  // namespace wafersim::workloads
