#include "workloads/family.h"

namespace wafersim::workloads {
namespace {

FamilyForm gpt2() {
  FamilyForm f;
  f.order = MatrixOrder::in_out;
  f.token_rows = "wte.weight";
  f.position_rows = "wpe.weight";
  f.layer = "h.{}.";
  f.attention_norm = "ln_1";
  f.qkv = {"attn.c_attn"};
  f.attention_out = "attn.c_proj";
  f.mlp_norm = "ln_2";
  f.mlp_in = {"mlp.c_fc"};
  f.mlp_out = "mlp.c_proj";
  f.final_norm = "ln_f";
  f.unembedding = "lm_head.weight";
  return f;
}

FamilyForm gptj() {
  FamilyForm f;
  f.token_rows = "transformer.wte.weight";
  f.layer = "transformer.h.{}.";
  f.attention_norm = "ln_1";
  f.qkv = {"attn.q_proj", "attn.k_proj", "attn.v_proj"};
  f.attention_bias = false;
  f.attention_out = "attn.out_proj";
  f.mlp_in = {"mlp.fc_in"};
  f.mlp_out = "mlp.fc_out";
  f.final_norm = "transformer.ln_f";
  f.unembedding = "lm_head.weight";
  f.unembedding_bias = "lm_head.bias";
  return f;
}

FamilyForm gpt_neox() {
  FamilyForm f;
  f.token_rows = "gpt_neox.embed_in.weight";
  f.layer = "gpt_neox.layers.{}.";
  f.attention_norm = "input_layernorm";
  f.qkv = {"attention.query_key_value"};
  f.qkv_by_head = true;
  f.attention_out = "attention.dense";
  f.mlp_norm = "post_attention_layernorm";
  f.mlp_in = {"mlp.dense_h_to_4h"};
  f.mlp_out = "mlp.dense_4h_to_h";
  f.final_norm = "gpt_neox.final_layer_norm";
  f.unembedding = "embed_out.weight";
  return f;
}

FamilyForm llama() {
  FamilyForm f;
  f.norm = NormKind::rms;
  f.token_rows = "model.embed_tokens.weight";
  f.layer = "model.layers.{}.";
  f.attention_norm = "input_layernorm";
  f.qkv = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"};
  f.attention_bias = false;
  f.attention_out = "self_attn.o_proj";
  f.mlp_norm = "post_attention_layernorm";
  f.mlp_in = {"mlp.gate_proj", "mlp.up_proj"};
  f.mlp_bias = false;
  f.mlp_out = "mlp.down_proj";
  f.final_norm = "model.norm";
  f.unembedding = "lm_head.weight";
  return f;
}

FamilyForm opt() {
  FamilyForm f;
  f.token_rows = "model.decoder.embed_tokens.weight";
  f.position_rows = "model.decoder.embed_positions.weight";
  f.first_position = 2;
  f.layer = "model.decoder.layers.{}.";
  f.attention_norm = "self_attn_layer_norm";
  f.qkv = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"};
  f.attention_out = "self_attn.out_proj";
  f.mlp_norm = "final_layer_norm";
  f.mlp_in = {"fc1"};
  f.mlp_out = "fc2";
  f.final_norm = "model.decoder.final_layer_norm";
  f.unembedding = "lm_head.weight";
  return f;
}

FamilyForm bert() {
  FamilyForm f;
  f.token_rows = "bert.embeddings.word_embeddings.weight";
  f.position_rows = "bert.embeddings.position_embeddings.weight";
  f.type_rows = "bert.embeddings.token_type_embeddings.weight";
  f.embedding_norm = "bert.embeddings.LayerNorm";
  f.causal = false;
  f.post_norm = true;
  f.layer = "bert.encoder.layer.{}.";
  f.attention_norm = "attention.output.LayerNorm";
  f.qkv = {"attention.self.query", "attention.self.key", "attention.self.value"};
  f.attention_out = "attention.output.dense";
  f.mlp_norm = "output.LayerNorm";
  f.mlp_in = {"intermediate.dense"};
  f.mlp_out = "output.dense";
  f.head_dense = "cls.predictions.transform.dense";
  f.head_norm = "cls.predictions.transform.LayerNorm";
  f.unembedding = "cls.predictions.decoder.weight";
  f.unembedding_bias = "cls.predictions.bias";
  return f;
}

FamilyForm untied_form(Family family) {
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

}  // namespace

FamilyForm family_form(const ModelShape& shape) {
  FamilyForm form = untied_form(shape.family);
  if (shape.tied) form.unembedding = form.token_rows;
  return form;
}

const char* name(Family family) {
  switch (family) {
    case Family::gpt2: return "gpt2";
    case Family::gptj: return "gptj";
    case Family::gpt_neox: return "gpt_neox";
    case Family::llama: return "llama";
    case Family::opt: return "opt";
    case Family::bert: break;
  }
  return "bert";
}

std::size_t matrix_parameters(const ModelShape& shape) {
  const memoryx::ParameterTable table = parameter_table(shape);
  const FamilyForm form = family_form(shape);
  std::size_t sum = 0;
  for (const memoryx::ParameterEntry& entry : table.entries()) {
    const bool lookup = entry.name == form.position_rows || entry.name == form.type_rows || (entry.name == form.token_rows && !shape.tied);
    if (entry.shape.size() >= 2 && !lookup) sum += entry.size;
  }
  return sum;
}

double model_flops(const ModelShape& shape, int sequence) {
  return 6.0 * static_cast<double>(matrix_parameters(shape)) + 12.0 * shape.layers * sequence * shape.attention_width();
}

}  // namespace wafersim::workloads
