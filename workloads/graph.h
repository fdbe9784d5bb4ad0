#pragma once
// The model as a Boost.Graph DAG: ops are vertices, tensors are edges. A value: copied, compared by its JSON, changed by nobody after it
// is built. A tensor that several ops read is several edges from its producer, which all carry the same tensor number.

#include <boost/graph/adjacency_list.hpp>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "workloads/op.h"

namespace wafersim::workloads {

// One use of a tensor.
struct TensorUse {
  int tensor = 0;   // number of the tensor in ModelGraph::tensors
  int operand = 0;  // which input of the reader: residual 0 = the stream, 1 = the branch
};

struct ModelGraph {
  using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS, Op, TensorUse>;
  Graph graph;
  std::vector<Tensor> tensors;
};

// Ops in an order in which every tensor is written before it is read. Throws Error(invariant) when the graph has a loop.
std::vector<int> execution_order(const ModelGraph& model);

// Tensor numbers that a vertex reads, by operand, and the one it writes (-1 for the loss).
std::vector<int> inputs_of(const ModelGraph& model, int vertex);
int output_of(const ModelGraph& model, int vertex);

// The model of a shape; parameter indices are those of parameter_table(shape).
ModelGraph build_model(const ModelShape& shape);

// {"ops": [{name, kind, layer, parameters}], "tensors": [{name, features}], "edges": [{from, to, tensor, operand}]}
void to_json(nlohmann::json& out, const ModelGraph& model);

}  // namespace wafersim::workloads
