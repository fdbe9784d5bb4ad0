#include "workloads/model_shape.h"

#include <fmt/format.h>

#include "sim/error.h"
#include "workloads/family.h"

namespace wafersim::workloads {

void check_shape(const ModelShape& shape, const std::string& source) {
  const auto positive = [&](const char* key, int value) {
    if (value <= 0) throw sim::Error(sim::ErrorCategory::config, fmt::format("{}: {} is {}; it must be at least 1", source, key, value));
  };
  positive("vocabulary", shape.vocabulary);
  positive("positions", shape.positions);
  positive("width", shape.width);
  positive("layers", shape.layers);
  positive("heads", shape.heads);
  positive("inner", shape.inner);
  if (shape.head_width == 0 && shape.width % shape.heads != 0)
    throw sim::Error(sim::ErrorCategory::config,
                     fmt::format("{}: heads is {} and does not divide the width {}; choose a divisor", source, shape.heads, shape.width));
  if (shape.heads % shape.key_heads() != 0)
    throw sim::Error(sim::ErrorCategory::config, fmt::format("{}: kv_heads is {} and does not divide the {} heads; choose a divisor",
                                                             source, shape.kv_heads, shape.heads));
  if (shape.rotary % 2 != 0 || shape.rotary < 0 || shape.rotary > shape.head())
    throw sim::Error(sim::ErrorCategory::config, fmt::format("{}: rotary is {}; it must be even and at most the {} features of a head",
                                                             source, shape.rotary, shape.head()));
  if (!family_form(shape).type_rows.empty()) positive("token_types", shape.token_types);
  if (!(shape.layer_norm_epsilon > 0.0))
    throw sim::Error(sim::ErrorCategory::config,
                     fmt::format("{}: layer_norm_epsilon is {}; it must be above 0", source, shape.layer_norm_epsilon));
}

memoryx::ParameterTable parameter_table(const ModelShape& shape) {
  using Initial = memoryx::ParameterEntry::Initial;
  const FamilyForm form = family_form(shape);
  memoryx::ParameterTable table;
  const auto norm = [&](const std::string& name) {
    table.add(name + ".weight", {shape.width}, Initial::one);
    if (form.norm == NormKind::layer) table.add(name + ".bias", {shape.width}, Initial::zero);
  };
  const auto linear = [&](const std::string& name, int in, int out, bool bias) {
    const bool in_out = form.order == MatrixOrder::in_out;
    table.add(name + ".weight", {in_out ? in : out, in_out ? out : in}, Initial::normal);
    if (bias) table.add(name + ".bias", {out}, Initial::zero);
  };
  table.add(form.token_rows, {shape.vocabulary, shape.width}, Initial::normal);
  if (!form.position_rows.empty()) table.add(form.position_rows, {form.first_position + shape.positions, shape.width}, Initial::normal);
  if (!form.type_rows.empty()) table.add(form.type_rows, {shape.token_types, shape.width}, Initial::normal);
  if (!form.embedding_norm.empty()) norm(form.embedding_norm);
  for (int layer = 0; layer < shape.layers; ++layer) {
    const std::string prefix = fmt::format(fmt::runtime(form.layer), layer);
    const int q = shape.attention_width(), kv = shape.key_width();
    if (!form.post_norm) norm(prefix + form.attention_norm);
    for (std::size_t part = 0; part < form.qkv.size(); ++part)
      linear(prefix + form.qkv[part], shape.width, form.qkv.size() == 1 ? q + 2 * kv : part == 0 ? q : kv, form.attention_bias);
    linear(prefix + form.attention_out, q, shape.width, form.attention_bias);
    if (form.post_norm) norm(prefix + form.attention_norm);
    if (!form.post_norm && !form.mlp_norm.empty()) norm(prefix + form.mlp_norm);
    for (const std::string& part : form.mlp_in) linear(prefix + part, shape.width, shape.inner, form.mlp_bias);
    linear(prefix + form.mlp_out, shape.inner, shape.width, form.mlp_bias);
    if (form.post_norm) norm(prefix + form.mlp_norm);
  }
  if (!form.final_norm.empty()) norm(form.final_norm);
  if (!form.head_dense.empty()) {
    linear(form.head_dense, shape.width, shape.width, true);
    norm(form.head_norm);
  }
  if (!shape.tied) table.add(form.unembedding, {shape.vocabulary, shape.width}, Initial::normal);
  if (!form.unembedding_bias.empty()) table.add(form.unembedding_bias, {shape.vocabulary}, Initial::zero);
  return table;
}

memoryx::EmbeddingPlace embedding_place(const ModelShape& shape) {
  const FamilyForm form = family_form(shape);
  const memoryx::ParameterTable table = parameter_table(shape);
  memoryx::EmbeddingPlace place;
  place.token = table[table.find(form.token_rows)].offset;
  const auto width = static_cast<std::size_t>(shape.width), first = static_cast<std::size_t>(form.first_position);
  if (!form.position_rows.empty()) place.position = table[table.find(form.position_rows)].offset + first * width;
  if (!form.type_rows.empty()) place.type = table[table.find(form.type_rows)].offset;
  place.width = shape.width;
  return place;
}

}  // namespace wafersim::workloads
