#include "workloads/hf_config.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sim/config/tree.h"
#include "sim/error.h"
#include "sim/json_file.h"
#include "workloads/family.h"
#include "workloads/hf_keys.h"

namespace wafersim::workloads {
namespace {

HfConfig parse(const std::string& text) {
  return parse_hf_config(sim::ConfigTree(sim::parse_json(text, "config.json"), "config.json", "/"));
}

// "category: message" of the error that {"model_type": "gpt2", <keys>} gives.
std::string failure(const std::string& keys) {
  try {
    parse("{\"model_type\": \"gpt2\", " + keys + "}");
  } catch (const sim::Error& error) {
    return std::string(sim::name(error.category())) + ": " + error.what();
  }
  return "";
}

// The config.json that the hub serves for gpt2.
constexpr const char* hub_gpt2 = R"({
  "activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"], "attn_pdrop": 0.1, "bos_token_id": 50256, "embd_pdrop": 0.1,
  "eos_token_id": 50256, "initializer_range": 0.02, "layer_norm_epsilon": 1e-05, "model_type": "gpt2", "n_ctx": 1024, "n_embd": 768, "n_head": 12,
  "n_layer": 12, "n_positions": 1024, "resid_pdrop": 0.1, "summary_activation": null, "summary_first_dropout": 0.1, "summary_proj_to_labels": true,
  "summary_type": "cls_index", "summary_use_proj": true, "task_specific_params": {"text-generation": {"do_sample": true, "max_length": 50}},
  "vocab_size": 50257})";

TEST(HfConfig, ReadsTheHubsGpt2AndReportsItsDropoutAsIgnored) {
  const HfConfig config = parse(hub_gpt2);
  EXPECT_EQ(config.shape.layers, 12);
  EXPECT_EQ(config.shape.width, 768);
  EXPECT_EQ(config.shape.heads, 12);
  EXPECT_EQ(config.shape.inner, 3072);
  EXPECT_EQ(config.shape.positions, 1024);
  EXPECT_EQ(config.shape.vocabulary, 50257);
  EXPECT_EQ(config.shape.layer_norm_epsilon, 1e-5);
  EXPECT_TRUE(config.shape.tied);
  EXPECT_EQ(parameter_table(config.shape).size(), 124439808u);
  ASSERT_EQ(config.ignored.size(), 3u);
  EXPECT_EQ(text(config.ignored[0]), "attn_pdrop = 0.1: dropout is not applied");
  EXPECT_EQ(parse(hf_config_to_json(config).dump()).ignored.size(), 3u) << "written and read again";
}

// The config.json that the hub serves for EleutherAI/gpt-neox-20b, and a key of its distilgpt2.
TEST(HfConfig, ReadsTheHubsGptNeoxAndDistilgpt2) {
  const HfConfig neox = parse(R"({
    "architectures": ["GPTNeoXForCausalLM"], "attention_probs_dropout_prob": 0, "bos_token_id": 0, "eos_token_id": 0,
    "hidden_act": "gelu_fast", "hidden_dropout_prob": 0, "hidden_size": 6144, "initializer_range": 0.02, "intermediate_size": 24576,
    "layer_norm_eps": 1e-05, "max_position_embeddings": 2048, "model_type": "gpt_neox", "num_attention_heads": 64, "num_hidden_layers": 44,
    "rotary_emb_base": 10000, "rotary_pct": 0.25, "tie_word_embeddings": false, "torch_dtype": "float16",
    "transformers_version": "4.19.0.dev0", "use_cache": true, "vocab_size": 50432})");
  EXPECT_EQ(parameter_table(neox.shape).size(), 20554567680u);
  EXPECT_EQ(neox.shape.activation, Activation::gelu_tanh);
  EXPECT_TRUE(neox.ignored.empty());
  EXPECT_EQ(parse(R"({"model_type": "gpt2", "_num_labels": 1, "n_layer": 6})").shape.layers, 6);
}

// The config.json that the hub serves for facebook/opt-125m and bert-large-uncased.
TEST(HfConfig, ReadsTheHubsOptAndBert) {
  const HfConfig opt = parse(R"({
    "_name_or_path": "facebook/opt-125m", "_remove_final_layer_norm": false, "activation_dropout": 0.0, "activation_function": "relu",
    "architectures": ["OPTForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 2, "do_layer_norm_before": true, "dropout": 0.1,
    "eos_token_id": 2, "ffn_dim": 3072, "hidden_size": 768, "init_std": 0.02, "layerdrop": 0.0, "max_position_embeddings": 2048,
    "model_type": "opt", "num_attention_heads": 12, "num_hidden_layers": 12, "pad_token_id": 1, "prefix": "</s>", "torch_dtype": "float16",
    "transformers_version": "4.21.0.dev0", "use_cache": true, "vocab_size": 50272, "word_embed_proj_dim": 768})");
  EXPECT_EQ(parameter_table(opt.shape).size(), 125239296u);
  EXPECT_EQ(opt.ignored.size(), 1u);
  const HfConfig bert = parse(R"({
    "architectures": ["BertForMaskedLM"], "attention_probs_dropout_prob": 0.1, "gradient_checkpointing": false, "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1, "hidden_size": 1024, "initializer_range": 0.02, "intermediate_size": 4096, "layer_norm_eps": 1e-12,
    "max_position_embeddings": 512, "model_type": "bert", "num_attention_heads": 16, "num_hidden_layers": 24, "pad_token_id": 0,
    "position_embedding_type": "absolute", "transformers_version": "4.6.0.dev0", "type_vocab_size": 2, "use_cache": true,
    "vocab_size": 30522})");
  EXPECT_EQ(parameter_table(bert.shape).size(), 335174458u);
  EXPECT_EQ(bert.ignored.size(), 2u);
}

TEST(HfConfig, WrittenAsJsonReadsToTheSameShape) {
  const HfConfig config =
      parse(R"({"model_type": "gpt2", "n_layer": 3, "n_embd": 48, "n_head": 6, "n_inner": 100, "n_positions": 40, "vocab_size": 65,
    "layer_norm_epsilon": 1e-6, "initializer_range": 0.1, "tie_word_embeddings": false})");
  EXPECT_EQ(config.shape.inner, 100);
  EXPECT_FALSE(config.shape.tied);
  const auto written = hf_config_to_json(config);
  EXPECT_EQ(hf_config_to_json(parse(written.dump())), written);
}

TEST(HfConfig, TakesNullForTheDefaultAndTheAliasesOfTransformers) {
  const HfConfig config =
      parse(R"({"model_type": "gpt2", "n_inner": null, "hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2})");
  EXPECT_EQ(config.shape.width, 64);
  EXPECT_EQ(config.shape.inner, 256);
  EXPECT_EQ(config.shape.layers, 2);
  EXPECT_EQ(failure(R"("n_embd": 48, "hidden_size": 64)"), "config: config.json: hidden_size = 64: contradicts n_embd = 48");
}

TEST(HfConfig, RefusesOtherFamiliesActivationsAndMathematicsByName) {
  EXPECT_THROW(parse(R"({"model_type": "mamba"})"), sim::Error);
  EXPECT_THROW(parse("{}"), sim::Error) << "the family must be named";
  const std::string start = "unsupported: config.json: ";
  EXPECT_EQ(failure(R"("activation_function": "mish")").substr(0, 60), start + "activation_function = \"mish\": only");
  EXPECT_EQ(failure(R"("scale_attn_weights": false)"),
            start + "scale_attn_weights = false: changes the mathematics; only true is supported");
  EXPECT_TRUE(failure(R"("scale_attn_by_inverse_layer_idx": true)").starts_with(start + "scale_attn_by_inverse_layer_idx"));
  EXPECT_TRUE(failure(R"("add_cross_attention": true)").starts_with(start + "add_cross_attention"));
  EXPECT_TRUE(failure(R"("pruned_heads": {"0": [1]})").starts_with(start + "pruned_heads"));
  EXPECT_TRUE(failure(R"("quantization_config": {"bits": 8})").starts_with(start + "quantization_config"));
  EXPECT_TRUE(failure(R"("architectures": ["GPT2ForSequenceClassification"])").starts_with(start + "architectures"));
  EXPECT_TRUE(failure(R"("head_dim": 32)").starts_with(start + "head_dim"));
  EXPECT_EQ(failure(R"("pruned_heads": {}, "activation_function": "gelu_pytorch_tanh")"), "");
}

HfConfig with(const std::string& family, const std::string& keys) { return parse("{\"model_type\": \"" + family + "\"" + keys + "}"); }

TEST(HfConfig, StandardsOfEachFamilyAreThoseOfTransformers) {
  const HfConfig gptj = with("gptj", ""), neox = with("gpt_neox", ""), llama = with("llama", ""), opt = with("opt", ""),
                 bert = with("bert", "");
  EXPECT_EQ(parameter_table(gptj.shape).size(), 6050882784u);
  EXPECT_EQ(parameter_table(neox.shape).size(), 20554567680u);
  EXPECT_EQ(parameter_table(llama.shape).size(), 6738415616u);
  EXPECT_EQ(parameter_table(opt.shape).size(), 125239296u);   // opt-125m
  EXPECT_EQ(parameter_table(bert.shape).size(), 109514298u);  // bert-base-uncased, without pooler and next-sentence head
  EXPECT_EQ(opt.shape.activation, Activation::relu);
  EXPECT_EQ(opt.shape.layer_norm_epsilon, 1e-5);
  EXPECT_EQ(bert.shape.activation, Activation::gelu_erf);
  EXPECT_EQ(bert.shape.layer_norm_epsilon, 1e-12);
  EXPECT_EQ(bert.shape.token_types, 2);
  EXPECT_EQ(bert.shape.mask_token, 30521);
  EXPECT_EQ(gptj.shape.rotary, 64);
  EXPECT_EQ(neox.shape.rotary, 24);
  EXPECT_EQ(llama.shape.rotary, 128);
  EXPECT_TRUE(gptj.shape.parallel_residual);
  EXPECT_TRUE(neox.shape.parallel_residual);
  EXPECT_FALSE(llama.shape.parallel_residual);
  EXPECT_EQ(neox.shape.activation, Activation::gelu_erf);
}

TEST(HfConfig, EveryFamilyWrittenAsJsonReadsToTheSame) {
  for (const HfConfig& config :
       {with("gptj", R"(, "n_embd": 48, "n_head": 6, "rotary_dim": 4)"),
        with("gpt_neox", R"(, "hidden_size": 188, "num_attention_heads": 4, "rotary_pct": 0.26, "use_parallel_residual": false)"),
        with("llama", R"(, "num_attention_heads": 8, "num_key_value_heads": 2, "head_dim": 24, "rope_theta": 5e5)"),
        with("opt", R"(, "ffn_dim": 100, "init_std": 0.1, "activation_function": "gelu", "dropout": 0.1)"),
        with("bert", R"(, "type_vocab_size": 3, "mask_token_id": 103, "hidden_act": "relu", "layer_norm_eps": 1e-5)")}) {
    const auto written = hf_config_to_json(config);
    const HfConfig again = parse(written.dump());
    EXPECT_EQ(hf_config_to_json(again), written);
    EXPECT_EQ(again.shape.rotary, config.shape.rotary);
    EXPECT_EQ(again.shape.head(), config.shape.head());
    EXPECT_EQ(again.shape.mask_token, config.shape.mask_token);
    EXPECT_EQ(again.shape.token_types, config.shape.token_types);
    EXPECT_EQ(again.initializer_range, config.initializer_range);
  }
}

TEST(HfConfig, RefusesWhatWouldChangeAFamilysMathematics) {
  const auto refused = [](const std::string& family, const std::string& keys) -> std::string {
    try {
      with(family, keys);
    } catch (const sim::Error& error) {
      return std::string(sim::name(error.category())) + ": " + error.what();
    }
    return "";
  };
  const std::string start = "unsupported: config.json: ";
  EXPECT_TRUE(refused("gptj", R"(, "rotary": false)").starts_with(start + "rotary = false: changes the mathematics"));
  EXPECT_TRUE(refused("gptj", R"(, "tie_word_embeddings": true)").starts_with(start + "tie_word_embeddings"));
  EXPECT_TRUE(refused("gpt_neox", R"(, "attention_bias": false)").starts_with(start + "attention_bias"));
  EXPECT_TRUE(refused("gpt_neox", R"(, "rope_scaling": {"type": "linear"})").starts_with(start + "rope_scaling"));
  EXPECT_TRUE(refused("llama", R"(, "mlp_bias": true)").starts_with(start + "mlp_bias"));
  EXPECT_TRUE(refused("llama", R"(, "hidden_act": "gelu")").starts_with(start + "hidden_act"));
  EXPECT_TRUE(refused("gptj", R"(, "rotary_dim": 7)").starts_with("config: config.json: rotary_dim = 7: rotates 7"));
  EXPECT_TRUE(
      refused("llama", R"(, "num_key_value_heads": 5)").starts_with("config: config.json: num_key_value_heads = 5: does not divide"));
  EXPECT_TRUE(refused("opt", R"(, "do_layer_norm_before": false)").starts_with(start + "do_layer_norm_before = false: changes the"));
  EXPECT_TRUE(refused("opt", R"(, "word_embed_proj_dim": 512)").starts_with(start + "word_embed_proj_dim = 512: only hidden_size = 768"));
  EXPECT_TRUE(refused("opt", R"(, "enable_bias": false)").starts_with(start + "enable_bias"));
  EXPECT_TRUE(refused("opt", R"(, "activation_function": "silu")").starts_with(start + "activation_function = \"silu\": only relu, gelu,"));
  EXPECT_TRUE(refused("bert", R"(, "is_decoder": true)").starts_with(start + "is_decoder = true: changes the mathematics"));
  EXPECT_TRUE(refused("bert", R"(, "position_embedding_type": "relative_key")").starts_with(start + "position_embedding_type"));
  EXPECT_TRUE(refused("bert", R"(, "architectures": ["BertForNextSentencePrediction"])").starts_with(start + "architectures"));
  EXPECT_TRUE(refused("bert", R"(, "mask_token_id": 30522)").starts_with("config: config.json: mask_token_id = 30522"));
  EXPECT_TRUE(refused("t5", "").starts_with(start + "model_type = \"t5\": is not one of gpt2, gptj, gpt_neox, llama, opt, bert"));
  EXPECT_EQ(with("gpt_neox", R"(, "hidden_dropout": 0.1)").ignored.size(), 1u);
  EXPECT_EQ(with("opt", R"(, "dropout": 0.1, "attention_dropout": 0.0, "layerdrop": 0.1)").ignored.size(), 2u);
  EXPECT_EQ(with("bert", R"(, "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1)").ignored.size(), 2u);
}

// transformers' default of rotary_dim is no share of the head.
TEST(HfConfig, GptjRotates64FeaturesOfAHeadWhereNothingSaysOtherwise) {
  EXPECT_EQ(with("gptj", "").shape.rotary, 64);
  EXPECT_THROW(with("gptj", R"(, "n_embd": 64, "n_head": 4)"), sim::Error);
}

TEST(HfConfig, GptjRotatesTheWholeHeadWhereRotaryDimIsNull) {
  EXPECT_EQ(with("gptj", R"(, "rotary_dim": null)").shape.rotary, 256);
  EXPECT_EQ(with("gptj", R"(, "n_embd": 64, "n_head": 4, "rotary_dim": null)").shape.rotary, 16);
  EXPECT_THROW(with("gptj", R"(, "n_embd": 60, "n_head": 4, "rotary_dim": null)"), sim::Error);  // 15 features
}

class FamilyKeys : public testing::TestWithParam<Family> {
 protected:
  // "unsupported: config.json: key" where that is how the error begins.
  static std::string refused(const std::string& key, const std::string& value) {
    try {
      with(name(GetParam()), ", \"" + key + "\": " + value);
    } catch (const sim::Error& error) {
      const std::string text = std::string(sim::name(error.category())) + ": " + error.what();
      return text.substr(0, std::string("unsupported: config.json: ").size() + key.size());
    }
    return "taken";
  }
};

TEST_P(FamilyKeys, ThatWouldChangeTheMathematicsAreRefusedByName) {
  const HfKeys keys = hf_keys(GetParam());
  const std::string start = "unsupported: config.json: ";
  for (const auto& [key, plain] : keys.flags) {
    EXPECT_EQ(refused(key, plain ? "false" : "true"), start + key);
    EXPECT_EQ(refused(key, plain ? "true" : "false"), "taken") << key;
  }
  for (const auto& [key, plain] : keys.words) {
    EXPECT_EQ(refused(key, "\"other\""), start + key);
    EXPECT_EQ(refused(key, '"' + plain + '"'), "taken") << key;
  }
  for (const std::string& key : keys.empty) EXPECT_EQ(refused(key, R"({"a": 1})"), start + key);
  EXPECT_EQ(refused(keys.activation, "\"mish\""), start + keys.activation);
}

TEST_P(FamilyKeys, OfOtherFamiliesAndLaterModelsAreUnknownNotIgnored) {
  for (const std::string key :
       {"sliding_window", "use_sliding_window", "partial_rotary_factor", "rope_parameters", "attn_logit_softcapping",
        "final_logit_softcapping", "query_pre_attn_scalar", "alibi", "multi_query", "num_experts_per_tok"}) {
    try {
      with(name(GetParam()), ", \"" + key + "\": 1");
      ADD_FAILURE() << key << " is taken";
    } catch (const sim::Error& error) {
      EXPECT_NE(std::string(error.what()).find(key + " = 1: unknown key"), std::string::npos) << error.what();
    }
  }
}

TEST_P(FamilyKeys, OfDropoutAndUpcastsAreReportedAsIgnored) {
  const HfKeys keys = hf_keys(GetParam());
  for (const std::string& key : keys.dropout) {
    const HfConfig config = with(name(GetParam()), ", \"" + key + "\": 0.25");
    ASSERT_EQ(config.ignored.size(), 1u) << key;
    EXPECT_EQ(text(config.ignored[0]), key + " = 0.25: dropout is not applied");
  }
  for (const std::string& key : keys.upcast) EXPECT_EQ(with(name(GetParam()), ", \"" + key + "\": true").ignored.size(), 1u) << key;
}

INSTANTIATE_TEST_SUITE_P(Families, FamilyKeys,
                         testing::Values(Family::gpt2, Family::gptj, Family::gpt_neox, Family::llama, Family::opt, Family::bert),
                         [](const auto& test) { return std::string(name(test.param)); });

TEST(HfConfig, RefusesUnknownKeysAndWrongValues) {
  EXPECT_TRUE(failure(R"("n_layers": 2)").starts_with("config: config.json: n_layers = 2: unknown key, the nearest known key is n_layer"));
  EXPECT_TRUE(failure(R"("rope_theta": 10000)").starts_with("config: config.json: rope_theta = 10000: unknown key"));
  EXPECT_EQ(failure(R"("n_embd": 64, "n_head": 5)"), "config: config.json: n_head = 5: 5 heads do not divide the width n_embd = 64");
  EXPECT_TRUE(failure(R"("n_embd": -64)").starts_with("config: config.json: n_embd = -64: expected an integer from 1"));
  EXPECT_TRUE(failure(R"("n_embd": 1e12)").starts_with("config: "));
  EXPECT_TRUE(failure(R"("vocab_size": "256")").starts_with("config: "));
  EXPECT_TRUE(failure(R"("layer_norm_epsilon": 0)").starts_with("config: "));
  EXPECT_TRUE(failure(R"("n_ctx": 512)").starts_with("config: config.json: n_ctx = 512: contradicts n_positions"));
  EXPECT_TRUE(failure(R"("resid_pdrop": 2)").starts_with("config: "));
}

}  // namespace
}  // namespace wafersim::workloads
