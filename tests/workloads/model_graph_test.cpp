#include <algorithm>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sim/error.h"
#include "workloads/family.h"
#include "workloads/graph.h"

namespace wafersim::workloads {
namespace {

ModelShape shape(int layers, bool tied) { return {256, 64, 32, layers, 4, 128, 1e-5, tied}; }

TEST(ModelShape, TheParameterTableHoldsGpt2sTensorsUnderTheirNames) {
  const memoryx::ParameterTable table = parameter_table(shape(2, true));
  EXPECT_EQ(table.size(), 35712u);  // as the golden run counts them
  EXPECT_EQ(table.entries().size(), 2u + 2u * 12u + 2u);
  EXPECT_EQ(table[0].name, "wte.weight");
  EXPECT_EQ(table[table.find("h.1.attn.c_attn.weight")].shape, (std::vector<int>{32, 96}));
  EXPECT_EQ(table[table.find("h.0.mlp.c_proj.weight")].shape, (std::vector<int>{128, 32}));
  EXPECT_EQ(table.find("lm_head.weight"), -1);
  EXPECT_EQ(parameter_table(shape(2, false)).size(), 35712u + 256u * 32u);
}

TEST(ModelShape, GainsStartAtOneBiasesAtZeroAndOnlyMatricesDecay) {
  const memoryx::ParameterTable table = parameter_table(shape(1, true));
  using Initial = memoryx::ParameterEntry::Initial;
  EXPECT_EQ(table[table.find("h.0.ln_2.weight")].initial, Initial::one);
  EXPECT_EQ(table[table.find("h.0.ln_2.bias")].initial, Initial::zero);
  EXPECT_EQ(table[table.find("wpe.weight")].initial, Initial::normal);
  for (const memoryx::ParameterEntry& entry : table.entries()) EXPECT_EQ(entry.decayed, entry.shape.size() == 2) << entry.name;
}

TEST(ModelShape, NamesTheNumberThatIsWrong) {
  const auto message = [](const ModelShape& wrong) -> std::string {
    try {
      check_shape(wrong, "model.json");
    } catch (const sim::Error& error) {
      EXPECT_EQ(error.category(), sim::ErrorCategory::config);
      return error.what();
    }
    return "";
  };
  ModelShape wrong = shape(2, true);
  EXPECT_EQ(message(wrong), "");
  wrong.heads = 5;
  EXPECT_EQ(message(wrong), "model.json: heads is 5 and does not divide the width 32; choose a divisor");
  wrong.heads = 0;
  EXPECT_EQ(message(wrong), "model.json: heads is 0; it must be at least 1");
  wrong = shape(2, true);
  wrong.layer_norm_epsilon = 0.0;
  EXPECT_NE(message(wrong).find("layer_norm_epsilon"), std::string::npos);
}

TEST(ModelGraph, ALayerIsTenOpsBetweenEmbeddingAndFinalNorm) {
  const ModelGraph model = build_model(shape(3, true));
  EXPECT_EQ(boost::num_vertices(model.graph), 1u + 3u * 10u + 2u);
  EXPECT_EQ(boost::num_edges(model.graph), 3u * 12u + 2u);  // the two residuals of a layer read two tensors
}

TEST(ModelGraph, TheExecutionOrderWritesEveryTensorBeforeItIsRead) {
  const ModelGraph model = build_model(shape(3, true));
  std::vector<bool> written(model.tensors.size());
  for (const int vertex : execution_order(model)) {
    for (const int tensor : inputs_of(model, vertex)) EXPECT_TRUE(written[static_cast<std::size_t>(tensor)]);
    if (const int output = output_of(model, vertex); output >= 0) written[static_cast<std::size_t>(output)] = true;
  }
  EXPECT_TRUE(std::all_of(written.begin(), written.end(), [](bool w) { return w; }));
}

TEST(ModelGraph, AResidualReadsTheStreamFirstAndTheBranchSecond) {
  const ModelGraph model = build_model(shape(1, true));
  for (std::size_t v = 0; v < boost::num_vertices(model.graph); ++v) {
    if (model.graph[v].name != "h.0.residual_2") continue;
    const std::vector<int> inputs = inputs_of(model, static_cast<int>(v));
    ASSERT_EQ(inputs.size(), 2u);
    EXPECT_EQ(model.tensors[static_cast<std::size_t>(inputs[0])].name, "h.0.residual_1");
    EXPECT_EQ(model.tensors[static_cast<std::size_t>(inputs[1])].name, "h.0.mlp.c_proj");
    return;
  }
  FAIL() << "no op h.0.residual_2";
}

TEST(ModelGraph, BertNormsItsEmbeddingAndTheStreamAfterEverySumAndHasAHead) {
  ModelShape bert = shape(1, true);
  bert.family = Family::bert;
  bert.activation = Activation::gelu_erf;
  bert.token_types = 2;
  const ModelGraph model = build_model(bert);
  std::vector<OpKind> kinds;
  for (const int vertex : execution_order(model)) kinds.push_back(model.graph[static_cast<std::size_t>(vertex)].kind);
  using enum OpKind;
  EXPECT_EQ(kinds, (std::vector<OpKind>{embedding, layer_norm, linear, attention, linear, residual, layer_norm, linear, gelu_erf, linear,
                                        residual, layer_norm, linear, gelu_erf, layer_norm, loss}));
}

TEST(ModelShape, OptsPositionsBeginAtItsThirdRowAndBertsTypesHaveRows) {
  ModelShape opt = shape(1, true), bert = opt;
  opt.family = Family::opt;
  bert.family = Family::bert;
  bert.token_types = 3;
  const memoryx::ParameterTable table = parameter_table(opt), types = parameter_table(bert);
  const int positions = table.find("model.decoder.embed_positions.weight");
  EXPECT_EQ(table[positions].shape, (std::vector<int>{66, 32}));
  EXPECT_EQ(embedding_place(opt).position, table[positions].offset + 2 * 32);
  EXPECT_FALSE(embedding_place(opt).type);
  const int rows = types.find("bert.embeddings.token_type_embeddings.weight");
  EXPECT_EQ(types[rows].shape, (std::vector<int>{3, 32}));
  EXPECT_EQ(embedding_place(bert).type, types[rows].offset);
}

// 6 for each of the matrices' parameters, 12 for each token of the sequence and feature of the queries.
TEST(ModelShape, CountsTheFlopsOfATokenWithTheQueriesOwnWidth) {
  const ModelShape gpt2 = shape(1, true);
  EXPECT_EQ(model_flops(gpt2, 64), 6.0 * (256 * 32 + 32 * 96 + 32 * 32 + 2 * 32 * 128) + 12.0 * 64 * 32);
  ModelShape llama = shape(2, false);
  llama.family = Family::llama;
  llama.activation = Activation::silu;
  llama.head_width = 16;  // queries of 64 features on a stream of 32
  llama.kv_heads = 2;
  const double layer = 32 * 64 + 2 * 32 * 32 + 64 * 32 + 3 * 32 * 128;
  EXPECT_EQ(model_flops(llama, 64), 6.0 * (256 * 32 + 2 * layer) + 2 * 12.0 * 64 * 64);
}

TEST(ModelGraph, ALoopIsRefused) {
  ModelGraph model = build_model(shape(1, true));
  boost::add_edge(5, 2, TensorUse{0, 1}, model.graph);
  EXPECT_THROW(execution_order(model), sim::Error);
}

TEST(ModelGraph, PrintsAsJson) {
  const nlohmann::json json = build_model(shape(1, false));
  EXPECT_EQ(json["ops"][2]["name"], "h.0.attn.c_attn");
  EXPECT_EQ(json["ops"][2]["kind"], "linear");
  EXPECT_EQ(json["ops"].back()["parameters"], nlohmann::json({parameter_table(shape(1, false)).find("lm_head.weight")}));
  EXPECT_EQ(json["edges"][0], nlohmann::json({{"from", 0}, {"to", 1}, {"tensor", 0}, {"operand", 0}}));
  EXPECT_EQ(json["tensors"][2]["features"], "qkv");
}

}  // namespace
}  // namespace wafersim::workloads
