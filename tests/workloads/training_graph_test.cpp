#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "sim/error.h"
#include "workloads/autodiff.h"
#include "workloads/graph.h"

namespace wafersim::workloads {
namespace {

const ModelShape shape{256, 64, 32, 2, 4, 128, 1e-5, true};

TrainingGraph training() { return differentiate(build_model(shape)); }

// An op on one line: kind and name, then its tensors by name.
std::string line(const TrainingGraph& graph, const TrainingOp& op) {
  std::string out = std::string(name(op.kind)) + " " + op.name + ":";
  for (const int tensor : op.inputs) out += " (" + graph.tensors[static_cast<std::size_t>(tensor)].name + ")";
  out += " ->";
  for (const int tensor : op.outputs) out += " (" + graph.tensors[static_cast<std::size_t>(tensor)].name + ")";
  return out;
}

TEST(TrainingGraph, EveryTensorIsWrittenOnceAndBeforeItIsRead) {
  const TrainingGraph graph = training();
  std::set<int> written;
  for (const TrainingOp& op : graph.ops) {
    for (const int tensor : op.inputs) EXPECT_TRUE(written.count(tensor)) << line(graph, op);
    for (const int tensor : op.outputs) EXPECT_TRUE(written.insert(tensor).second) << line(graph, op);
  }
  EXPECT_EQ(written.size(), graph.tensors.size());
}

TEST(TrainingGraph, EveryParameterGetsItsGradientOnceAndTheTiedOneTwice) {
  std::map<int, int> made;
  for (const TrainingOp& op : training().ops)
    for (const int parameter : op.gradients) ++made[parameter];
  const memoryx::ParameterTable table = parameter_table(shape);
  for (std::size_t p = 0; p < table.entries().size(); ++p)
    EXPECT_EQ(made[static_cast<int>(p)], table.entries()[p].name == "wte.weight" ? 2 : 1) << table.entries()[p].name;
}

TEST(TrainingGraph, TheUnembeddingsPartOfTheTiedGradientComesBeforeTheEmbeddings) {
  const TrainingGraph graph = training();
  const auto at = [&](TrainingKind kind) {
    return std::find_if(graph.ops.begin(), graph.ops.end(), [&](const TrainingOp& op) { return op.kind == kind; }) - graph.ops.begin();
  };
  EXPECT_LT(at(TrainingKind::loss), at(TrainingKind::loss_gradient));
  EXPECT_EQ(at(TrainingKind::embedding_gradient), static_cast<std::ptrdiff_t>(graph.ops.size()) - 1);
}

TEST(TrainingGraph, GradientsAreAddedWhereTheStreamBranches) {
  const TrainingGraph graph = training();
  std::vector<std::string> sums;
  for (const TrainingOp& op : graph.ops)
    if (op.kind == TrainingKind::gradient_sum) sums.push_back(line(graph, op));
  const std::vector<std::string> expected = {
      "gradient_sum h.1.ln_2: (d h.1.residual_2 by ln_f) (d h.1.residual_1 by h.1.ln_2) -> (d h.1.residual_1)",
      "gradient_sum h.1.ln_1: (d h.1.residual_1) (d h.0.residual_2 by h.1.ln_1) -> (d h.0.residual_2)",
      "gradient_sum h.0.ln_2: (d h.0.residual_2) (d h.0.residual_1 by h.0.ln_2) -> (d h.0.residual_1)",
      "gradient_sum h.0.ln_1: (d h.0.residual_1) (d embedding by h.0.ln_1) -> (d embedding)"};
  EXPECT_EQ(sums, expected);
}

TEST(TrainingGraph, BackwardOpsReadWhatTheirForwardOpSaved) {
  const TrainingGraph graph = training();
  std::set<std::string> lines;
  for (const TrainingOp& op : graph.ops) lines.insert(line(graph, op));
  const std::string attention = "attention_gradient h.0.attn: (h.0.attn.c_attn) (h.0.attn) (h.0.attn.lse) (d h.0.attn by h.0.attn.c_proj)";
  EXPECT_TRUE(lines.count(attention + " -> (d h.0.attn.c_attn by h.0.attn)"));
  for (const char* expected :
       {"layer_norm h.0.ln_1: (embedding) -> (h.0.ln_1) (h.0.ln_1.mean) (h.0.ln_1.rstd)",
        "linear_weight_gradient h.1.mlp.c_fc: (h.1.ln_2) (d h.1.mlp.c_fc by h.1.mlp.act) ->",
        "linear_input_gradient h.1.mlp.c_fc: (d h.1.mlp.c_fc by h.1.mlp.act) -> (d h.1.ln_2 by h.1.mlp.c_fc)",
        "loss_gradient loss: (ln_f) (loss.lse) -> (d ln_f by loss)", "embedding_gradient embedding: (d embedding) ->"})
    EXPECT_TRUE(lines.count(expected)) << expected;
}

TEST(TrainingGraph, AGradientHasTheFeaturesOfItsTensor) {
  const TrainingGraph graph = training();
  for (const TrainingOp& op : graph.ops) {
    if (op.kind != TrainingKind::attention_gradient) continue;
    EXPECT_EQ(graph.tensors[static_cast<std::size_t>(op.inputs[3])].features, Features::heads);
    EXPECT_EQ(graph.tensors[static_cast<std::size_t>(op.outputs[0])].features, Features::qkv);
  }
}

TEST(TrainingGraph, AnotherGraphGetsItsOwnBackwardPass) {
  // x = embedding; loss(gelu(x) + x): two gradients meet at the embedding without any layer.
  ModelGraph model;
  model.tensors = {{"x", Features::residual}, {"y", Features::residual}, {"z", Features::residual}};
  const auto x = boost::add_vertex(Op{OpKind::embedding, "x", -1, {0, 1}}, model.graph);
  const auto y = boost::add_vertex(Op{OpKind::gelu, "y", -1, {}}, model.graph);
  const auto z = boost::add_vertex(Op{OpKind::residual, "z", -1, {}}, model.graph);
  const auto end = boost::add_vertex(Op{OpKind::loss, "loss", -1, {0}}, model.graph);
  boost::add_edge(x, y, TensorUse{0, 0}, model.graph);
  boost::add_edge(x, z, TensorUse{0, 0}, model.graph);
  boost::add_edge(y, z, TensorUse{1, 1}, model.graph);
  boost::add_edge(z, end, TensorUse{2, 0}, model.graph);
  const TrainingGraph graph = differentiate(model);
  std::vector<std::string> backward;
  for (const TrainingOp& op : graph.ops)
    if (op.backward) backward.push_back(line(graph, op));
  const std::vector<std::string> expected = {"loss_gradient loss: (z) (loss.lse) -> (d z by loss)",
                                             "gelu_gradient y: (x) (d z by loss) -> (d x by y)",
                                             "gradient_sum y: (d z by loss) (d x by y) -> (d x)", "embedding_gradient x: (d x) ->"};
  EXPECT_EQ(backward, expected);
}

TEST(TrainingGraph, WhatIsComputedAgainComesRightBeforeItsFirstReaderOrWhatThatReadsToo) {
  const TrainingGraph graph = differentiate(build_model(shape), {true, true});
  int again = 0;
  for (std::size_t op = 0; op < graph.ops.size(); ++op) {
    if (!graph.ops[op].recompute) continue;
    ++again;
    std::size_t reader = op + 1;  // the next op that is not computed again
    while (graph.ops[reader].recompute) ++reader;
    bool read = false;
    for (std::size_t next = op + 1; next <= reader; ++next)
      for (const int made : graph.ops[op].outputs)
        read = read || std::count(graph.ops[next].inputs.begin(), graph.ops[next].inputs.end(), made) > 0;
    EXPECT_TRUE(read) << line(graph, graph.ops[op]);
  }
  EXPECT_EQ(again, 2 * 8);  // not the last linear, not its residual
}

TEST(TrainingGraph, AModelWithoutALossIsRefused) {
  ModelGraph model;
  boost::add_vertex(Op{OpKind::embedding, "x", -1, {0, 1}}, model.graph);
  EXPECT_THROW(differentiate(model), sim::Error);
}

TEST(TrainingGraph, TheLastUseOfATensorIsTheLastOpThatNamesIt) {
  const TrainingGraph graph = training();
  const std::vector<int> last = last_uses(graph);
  for (std::size_t tensor = 0; tensor < last.size(); ++tensor) {
    ASSERT_GE(last[tensor], 0) << graph.tensors[tensor].name;
    for (std::size_t op = static_cast<std::size_t>(last[tensor]) + 1; op < graph.ops.size(); ++op)
      EXPECT_EQ(std::count(graph.ops[op].inputs.begin(), graph.ops[op].inputs.end(), static_cast<int>(tensor)), 0);
  }
}

TEST(TrainingGraph, PrintsAsJson) {
  const nlohmann::json json = training();
  EXPECT_EQ(json["ops"].back()["kind"], "embedding_gradient");
  EXPECT_EQ(json["ops"].back()["gradients"], nlohmann::json({0, 1}));
  EXPECT_EQ(json["ops"][0]["backward"], false);
  EXPECT_EQ(json["tensors"][0]["features"], "residual");
}

}  // namespace
}  // namespace wafersim::workloads
