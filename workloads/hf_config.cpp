#include "workloads/hf_config.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/config/reader.h"
#include "sim/config/tree.h"
#include "sim/error.h"
#include "sim/json_file.h"

namespace wafersim::workloads {
namespace {

using sim::Range;

// Keys of GPT2Config and PretrainedConfig that say nothing about the mathematics of training, or only about how Python runs it.
constexpr const char* inert_keys[] = {"_attn_implementation",
                                      "_commit_hash",
                                      "_name_or_path",
                                      "attn_implementation",
                                      "attn_implementation_autoset",
                                      "_attn_implementation_autoset",
                                      "bad_words_ids",
                                      "begin_suppress_tokens",
                                      "bos_token_id",
                                      "chunk_size_feed_forward",
                                      "decoder_start_token_id",
                                      "diversity_penalty",
                                      "do_sample",
                                      "dtype",
                                      "early_stopping",
                                      "encoder_no_repeat_ngram_size",
                                      "eos_token_id",
                                      "exponential_decay_length_penalty",
                                      "finetuning_task",
                                      "forced_bos_token_id",
                                      "forced_eos_token_id",
                                      "gradient_checkpointing",
                                      "id2label",
                                      "is_decoder",
                                      "label2id",
                                      "length_penalty",
                                      "max_length",
                                      "min_length",
                                      "model_type",
                                      "name_or_path",
                                      "no_repeat_ngram_size",
                                      "num_beam_groups",
                                      "num_beams",
                                      "num_labels",
                                      "num_return_sequences",
                                      "output_attentions",
                                      "output_hidden_states",
                                      "output_scores",
                                      "pad_token_id",
                                      "prefix",
                                      "problem_type",
                                      "remove_invalid_values",
                                      "repetition_penalty",
                                      "return_dict",
                                      "return_dict_in_generate",
                                      "sep_token_id",
                                      "summary_activation",
                                      "summary_proj_to_labels",
                                      "summary_type",
                                      "summary_use_proj",
                                      "suppress_tokens",
                                      "task_specific_params",
                                      "temperature",
                                      "tf_legacy_loss",
                                      "tokenizer_class",
                                      "top_k",
                                      "top_p",
                                      "torch_dtype",
                                      "torchscript",
                                      "transformers_version",
                                      "typical_p",
                                      "use_bfloat16",
                                      "use_cache"};

[[noreturn]] void unsupported(const sim::ConfigTree& tree, const std::string& key, const std::string& what) {
  throw sim::Error(sim::ErrorCategory::unsupported, tree.message(key, what));
}

// A flag that must have the value it has in plain GPT-2.
void require_flag(sim::ConfigReader& reader, const sim::ConfigTree& tree, const char* key, bool plain) {
  if (reader.boolean(key, plain) == plain) return;
  unsupported(tree, key, fmt::format("changes the mathematics; only {} is supported", plain));
}

// An integer under its GPT2Config name or the alias that transformers maps to it.
int shape(sim::ConfigReader& reader, const char* key, const char* alias, Range range, int standard) {
  const auto value = reader.integer(key, range, standard);
  if (alias == nullptr || !reader.given(alias)) return static_cast<int>(value);
  const auto other = reader.integer(alias, range);
  if (reader.given(key) && other != value) reader.fail(alias, fmt::format("contradicts {} = {}", key, value));
  return static_cast<int>(other);
}

void check_family(sim::ConfigReader& reader, const sim::ConfigTree& tree) {
  const std::string family = reader.text("model_type");
  if (reader.given("model_type") && family != "gpt2") unsupported(tree, "model_type", "only gpt2 is supported");
  const std::string activation = reader.text("activation_function", "gelu_new");
  if (activation != "gelu_new" && activation != "gelu_pytorch_tanh" && activation != "gelu_fast") {
    unsupported(tree, "activation_function", "only the tanh form of GELU is supported: gelu_new, gelu_pytorch_tanh, gelu_fast");
  }
  require_flag(reader, tree, "scale_attn_weights", true);
  require_flag(reader, tree, "scale_attn_by_inverse_layer_idx", false);
  require_flag(reader, tree, "add_cross_attention", false);
  require_flag(reader, tree, "is_encoder_decoder", false);
  require_flag(reader, tree, "tie_encoder_decoder", false);
  reader.accept("architectures");
  if (const sim::ConfigLeaf* leaf = tree.find("architectures"); leaf != nullptr) {
    for (const nlohmann::json& model : leaf->value) {
      if (model != "GPT2LMHeadModel" && model != "GPT2Model") unsupported(tree, "architectures", "only GPT2LMHeadModel is supported");
    }
  }
  for (const char* key : {"pruned_heads", "quantization_config", "cross_attention_hidden_size"}) {
    reader.accept(key);
    const sim::ConfigLeaf* leaf = tree.find(key);
    const bool plain = leaf == nullptr ? !tree.has_below(key) : leaf->value.empty();
    if (!plain) unsupported(tree, key, "changes the mathematics and is not supported");
  }
}

void note_ignored(sim::ConfigReader& reader, HfConfig& config) {
  for (const char* key : {"attn_pdrop", "embd_pdrop", "resid_pdrop", "summary_first_dropout"}) {
    const double rate = reader.number(key, Range{0, 1}, 0.0);
    if (rate > 0 && std::string(key) != "summary_first_dropout")
      config.ignored.push_back(fmt::format("{} = {}: dropout is not applied", key, rate));
  }
  if (reader.boolean("reorder_and_upcast_attn", false)) {
    config.ignored.push_back("reorder_and_upcast_attn = true: scores are accumulated in fp32 in any case");
  }
  for (const char* key : inert_keys) {
    if (std::string(key) != "model_type") reader.accept(key);
  }
}

// transformers writes null for "the default".
sim::ConfigTree without_nulls(const sim::ConfigTree& tree) {
  sim::ConfigTree out = tree;
  for (const auto& [key, leaf] : tree.leaves()) {
    if (leaf.value.is_null()) out.erase(key);
  }
  return out;
}

}  // namespace

HfConfig parse_hf_config(const sim::ConfigTree& given) {
  const sim::ConfigTree tree = without_nulls(given);
  sim::ConfigReader reader(tree);
  HfConfig config;
  ModelShape& s = config.shape;
  check_family(reader, tree);
  s.layers = shape(reader, "n_layer", "num_hidden_layers", Range{1, 4096}, 12);
  s.width = shape(reader, "n_embd", "hidden_size", Range{1, 1 << 20}, 768);
  s.heads = shape(reader, "n_head", "num_attention_heads", Range{1, 1 << 16}, 12);
  s.positions = shape(reader, "n_positions", "max_position_embeddings", Range{1, 1 << 24}, 1024);
  s.vocabulary = shape(reader, "vocab_size", nullptr, Range{2, 1 << 24}, 50257);
  s.inner = shape(reader, "n_inner", nullptr, Range{1, 1 << 22}, 4 * s.width);
  s.layer_norm_epsilon = reader.number("layer_norm_epsilon", Range{1e-12, 1}, 1e-5);
  s.tied = reader.boolean("tie_word_embeddings", true);
  config.initializer_range = reader.number("initializer_range", Range{0, 10}, config.initializer_range);
  const auto context = reader.integer("n_ctx", Range{1, 1 << 24}, s.positions);
  const auto head = reader.integer("head_dim", Range{1, 1 << 20}, std::max(1, s.width / s.heads));
  note_ignored(reader, config);
  reader.finish();
  if (s.width % s.heads != 0) reader.fail("n_head", fmt::format("{} heads do not divide the width n_embd = {}", s.heads, s.width));
  if (context != s.positions) reader.fail("n_ctx", fmt::format("contradicts n_positions = {}", s.positions));
  if (head != s.head()) unsupported(tree, "head_dim", fmt::format("only n_embd / n_head = {} is supported", s.head()));
  return config;
}

HfConfig read_hf_config(const std::filesystem::path& path) {
  return parse_hf_config(sim::ConfigTree(sim::read_json_file(path), path.string(), path.parent_path()));
}

nlohmann::ordered_json hf_config_to_json(const HfConfig& config) {
  return {{"model_type", "gpt2"},
          {"activation_function", "gelu_new"},
          {"n_layer", config.shape.layers},
          {"n_embd", config.shape.width},
          {"n_head", config.shape.heads},
          {"n_inner", config.shape.inner},
          {"n_positions", config.shape.positions},
          {"vocab_size", config.shape.vocabulary},
          {"layer_norm_epsilon", config.shape.layer_norm_epsilon},
          {"initializer_range", config.initializer_range},
          {"tie_word_embeddings", config.shape.tied}};
}

}  // namespace wafersim::workloads
