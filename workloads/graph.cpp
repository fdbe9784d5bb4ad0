#include "workloads/graph.h"

#include <algorithm>
#include <boost/graph/topological_sort.hpp>
#include <boost/range/iterator_range.hpp>
#include <iterator>
#include <nlohmann/json.hpp>

#include "sim/error.h"

namespace wafersim::workloads {
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
