#include "workloads/hf_keys.h"

namespace wafersim::workloads {
namespace {

using enum Activation;

// transformers has three names for the tanh form.
const std::vector<std::pair<std::string, Activation>> tanh_first = {
    {"gelu_new", gelu_tanh}, {"gelu_pytorch_tanh", gelu_tanh}, {"gelu_fast", gelu_tanh}, {"gelu", gelu_erf}, {"relu", relu}};
const std::vector<std::string> never = {"pruned_heads", "quantization_config", "cross_attention_hidden_size"};

std::vector<std::string> never_and(std::vector<std::string> more) {
  more.insert(more.end(), never.begin(), never.end());
  return more;
}

HfKeys gpt2() {
  HfKeys k;
  k.family = Family::gpt2;
  k.architectures = {"GPT2LMHeadModel", "GPT2Model"};
  k.layers = {"n_layer", 12, "num_hidden_layers"};
  k.width = {"n_embd", 768, "hidden_size"};
  k.heads = {"n_head", 12, "num_attention_heads"};
  k.positions = {"n_positions", 1024, "max_position_embeddings"};
  k.vocabulary = {"vocab_size", 50257, ""};
  k.inner = {"n_inner", 0, ""};
  k.epsilon = {"layer_norm_epsilon", 1e-5, ""};
  k.activation = "activation_function";
  k.activations = tanh_first;
  k.tied = true;
  k.head_check = "head_dim";
  k.context_check = "n_ctx";
  k.flags = {{"scale_attn_weights", true},
             {"scale_attn_by_inverse_layer_idx", false},
             {"add_cross_attention", false},
             {"is_encoder_decoder", false},
             {"tie_encoder_decoder", false}};
  k.empty = never;
  k.dropout = {"attn_pdrop", "embd_pdrop", "resid_pdrop"};
  k.upcast = {"reorder_and_upcast_attn"};
  return k;
}

HfKeys gptj() {
  HfKeys k = gpt2();
  k.family = Family::gptj;
  k.architectures = {"GPTJForCausalLM", "GPTJModel"};
  k.layers.standard = 28;
  k.width.standard = 4096;
  k.heads.standard = 16;
  k.positions.standard = 2048;
  k.vocabulary.standard = 50400;
  k.tied = false;
  k.rotation = HfKeys::Rotation::features;
  k.flags = {{"rotary", true},
             {"scale_attn_weights", true},
             {"add_cross_attention", false},
             {"is_encoder_decoder", false},
             {"tie_encoder_decoder", false},
             {"tie_word_embeddings", false}};
  k.upcast = {};
  return k;
}

HfKeys gpt_neox() {
  HfKeys k;
  k.family = Family::gpt_neox;
  k.architectures = {"GPTNeoXForCausalLM", "GPTNeoXModel"};
  k.layers = {"num_hidden_layers", 44, ""};
  k.width = {"hidden_size", 6144, ""};
  k.heads = {"num_attention_heads", 64, ""};
  k.positions = {"max_position_embeddings", 2048, ""};
  k.vocabulary = {"vocab_size", 50432, ""};
  k.inner = {"intermediate_size", 24576, ""};
  k.epsilon = {"layer_norm_eps", 1e-5, ""};
  k.activation = "hidden_act";
  k.activations = {{"gelu", gelu_erf}, {"gelu_new", gelu_tanh}, {"gelu_pytorch_tanh", gelu_tanh}, {"gelu_fast", gelu_tanh}, {"relu", relu}};
  k.rotation = HfKeys::Rotation::fraction;
  k.rotary_base = {"rotary_emb_base", 10000, "rope_theta"};
  k.parallel = "use_parallel_residual";
  k.flags = {{"attention_bias", true}, {"add_cross_attention", false}, {"is_encoder_decoder", false}, {"tie_encoder_decoder", false}};
  k.empty = never_and({"rope_scaling"});
  // The hub's file of the 20 B model still has bert's names of two of them.
  k.dropout = {"attention_dropout", "hidden_dropout", "classifier_dropout", "attention_probs_dropout_prob", "hidden_dropout_prob"};
  return k;
}

HfKeys llama() {
  HfKeys k;
  k.family = Family::llama;
  k.architectures = {"LlamaForCausalLM", "LlamaModel"};
  k.layers = {"num_hidden_layers", 32, ""};
  k.width = {"hidden_size", 4096, ""};
  k.heads = {"num_attention_heads", 32, ""};
  k.positions = {"max_position_embeddings", 2048, ""};
  k.vocabulary = {"vocab_size", 32000, ""};
  k.inner = {"intermediate_size", 11008, ""};
  k.epsilon = {"rms_norm_eps", 1e-6, ""};
  k.activation = "hidden_act";
  k.activations = {{"silu", silu}, {"swish", silu}};
  k.rotation = HfKeys::Rotation::all;
  k.rotary_base = {"rope_theta", 10000, ""};
  k.kv_heads = "num_key_value_heads";
  k.head_width = "head_dim";
  k.flags = {{"attention_bias", false},
             {"mlp_bias", false},
             {"add_cross_attention", false},
             {"is_encoder_decoder", false},
             {"tie_encoder_decoder", false}};
  k.empty = never_and({"rope_scaling"});
  k.dropout = {"attention_dropout"};
  return k;
}

HfKeys opt() {
  HfKeys k;
  k.family = Family::opt;
  k.architectures = {"OPTForCausalLM", "OPTModel"};
  k.layers = {"num_hidden_layers", 12, ""};
  k.width = {"hidden_size", 768, ""};
  k.heads = {"num_attention_heads", 12, ""};
  k.positions = {"max_position_embeddings", 2048, ""};
  k.vocabulary = {"vocab_size", 50272, ""};
  k.inner = {"ffn_dim", 3072, ""};
  k.epsilon = {"", 1e-5, ""};
  k.activation = "activation_function";
  k.activations = {{"relu", relu}, {"gelu", gelu_erf}, {"gelu_new", gelu_tanh}, {"gelu_pytorch_tanh", gelu_tanh}, {"gelu_fast", gelu_tanh}};
  k.tied = true;
  k.initializer = "init_std";
  k.width_check = "word_embed_proj_dim";
  k.flags = {{"do_layer_norm_before", true},          {"_remove_final_layer_norm", false}, {"enable_bias", true},
             {"layer_norm_elementwise_affine", true}, {"add_cross_attention", false},      {"is_encoder_decoder", false},
             {"tie_encoder_decoder", false}};
  k.empty = never;
  k.dropout = {"dropout", "attention_dropout", "activation_dropout", "layerdrop"};
  return k;
}

HfKeys bert() {
  HfKeys k;
  k.family = Family::bert;
  k.architectures = {"BertForMaskedLM", "BertForPreTraining", "BertModel"};
  k.layers = {"num_hidden_layers", 12, ""};
  k.width = {"hidden_size", 768, ""};
  k.heads = {"num_attention_heads", 12, ""};
  k.positions = {"max_position_embeddings", 512, ""};
  k.vocabulary = {"vocab_size", 30522, ""};
  k.inner = {"intermediate_size", 3072, ""};
  k.epsilon = {"layer_norm_eps", 1e-12, ""};
  k.activation = "hidden_act";
  k.activations = {{"gelu", gelu_erf}, {"gelu_new", gelu_tanh}, {"gelu_pytorch_tanh", gelu_tanh}, {"gelu_fast", gelu_tanh}, {"relu", relu}};
  k.tied = true;
  k.token_types = "type_vocab_size";
  k.mask_token = "mask_token_id";  // ours: transformers leaves it to the tokenizer
  k.words = {{"position_embedding_type", "absolute"}, {"directionality", "bidi"}};
  k.flags = {{"is_decoder", false}, {"add_cross_attention", false}, {"is_encoder_decoder", false}, {"tie_encoder_decoder", false}};
  k.empty = never;
  k.dropout = {"hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout"};
  return k;
}

}  // namespace

HfKeys hf_keys(Family family) {
  switch (family) {
    case Family::gpt2: return gpt2();
    case Family::gptj: return gptj();
    case Family::gpt_neox: return gpt_neox();
    case Family::llama: return llama();
    case Family::opt: return opt();
    case Family::bert: break;
  }
  return bert();
}

std::vector<std::string> inert_hf_keys() {
  return {"_attn_implementation",
          "_commit_hash",
          "_name_or_path",
          "_num_labels",
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
          "pooler_fc_size",
          "pooler_num_attention_heads",
          "pooler_num_fc_layers",
          "pooler_size_per_head",
          "pooler_type",
          "pretraining_tp",
          "prefix",
          "problem_type",
          "remove_invalid_values",
          "repetition_penalty",
          "return_dict",
          "return_dict_in_generate",
          "sep_token_id",
          "summary_activation",
          "summary_first_dropout",
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
}

}  // namespace wafersim::workloads
