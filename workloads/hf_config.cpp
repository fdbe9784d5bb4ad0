#include "workloads/hf_config.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/config/reader.h"
#include "sim/config/tree.h"
#include "sim/error.h"
#include "sim/json_file.h"
#include "workloads/family.h"
#include "workloads/hf_keys.h"

namespace wafersim::workloads {
namespace {

using sim::Range;

[[noreturn]] void unsupported(const sim::ConfigTree& tree, const std::string& key, const std::string& what) {
  throw sim::Error(sim::ErrorCategory::unsupported, tree.message(key, what));
}

// A number under its name in the family or the alias that transformers maps to it.
double number(sim::ConfigReader& reader, const HfKey& key, Range range) {
  const double value = reader.number(key.name, range, key.standard);
  if (key.alias.empty() || !reader.given(key.alias)) return value;
  const double other = reader.number(key.alias, range);
  if (reader.given(key.name) && other != value) reader.fail(key.alias, fmt::format("contradicts {} = {}", key.name, value));
  return other;
}
int shape(sim::ConfigReader& reader, const HfKey& key, Range range) {
  for (const std::string& given : {key.name, key.alias})
    if (!given.empty() && reader.given(given)) reader.integer(given, range);
  return static_cast<int>(number(reader, key, range));
}

HfKeys read_family(sim::ConfigReader& reader, const sim::ConfigTree& tree) {
  constexpr std::array families = {Family::gpt2, Family::gptj, Family::gpt_neox, Family::llama, Family::opt, Family::bert};
  const std::string given = reader.text("model_type");
  if (!reader.given("model_type")) reader.fail("model_type", "is required and missing");
  std::vector<std::string> known;
  for (const Family family : families) {
    if (given == name(family)) return hf_keys(family);
    known.emplace_back(name(family));
  }
  unsupported(tree, "model_type", fmt::format("is not one of {}", fmt::join(known, ", ")));
}

// Values that leave the mathematics as they are in the plain model of the family.
void check_plain(sim::ConfigReader& reader, const sim::ConfigTree& tree, const HfKeys& keys) {
  for (const auto& [key, plain] : keys.flags)
    if (reader.boolean(key, plain) != plain) unsupported(tree, key, fmt::format("changes the mathematics; only {} is supported", plain));
  for (const auto& [key, plain] : keys.words)
    if (reader.text(key, plain) != plain) unsupported(tree, key, fmt::format("changes the mathematics; only {} is supported", plain));
  reader.accept("architectures");
  if (const sim::ConfigLeaf* leaf = tree.find("architectures"); leaf != nullptr)
    for (const nlohmann::json& model : leaf->value)
      if (std::find(keys.architectures.begin(), keys.architectures.end(), model) == keys.architectures.end())
        unsupported(tree, "architectures", fmt::format("only {} is supported", keys.architectures[0]));
  for (const std::string& key : keys.empty) {
    reader.accept(key);
    const sim::ConfigLeaf* leaf = tree.find(key);
    const bool plain = leaf == nullptr ? !tree.has_below(key) : leaf->value.empty();
    if (!plain) unsupported(tree, key, "changes the mathematics and is not supported");
  }
}

Activation read_activation(sim::ConfigReader& reader, const sim::ConfigTree& tree, const HfKeys& keys) {
  const std::string given = reader.text(keys.activation, keys.activations[0].first);
  std::vector<std::string> known;
  for (const auto& [text, activation] : keys.activations) {
    if (given == text) return activation;
    known.push_back(text);
  }
  unsupported(tree, keys.activation, fmt::format("only {} are supported", fmt::join(known, ", ")));
}

void read_heads(sim::ConfigReader& reader, const sim::ConfigTree& tree, const HfKeys& keys, ModelShape& s) {
  const bool divides = s.width % s.heads == 0;
  if (!keys.kv_heads.empty()) s.kv_heads = static_cast<int>(reader.integer(keys.kv_heads, Range{1, 1 << 16}, s.heads));
  if (s.heads % s.key_heads() != 0) reader.fail(keys.kv_heads, fmt::format("does not divide the {} heads", s.heads));
  if (!keys.head_width.empty() && reader.given(keys.head_width)) {
    s.head_width = static_cast<int>(reader.integer(keys.head_width, Range{1, 1 << 20}));
    return;
  }
  if (!divides) reader.fail(keys.heads.name, fmt::format("{} heads do not divide the width {} = {}", s.heads, keys.width.name, s.width));
  if (keys.head_check.empty()) return;
  if (reader.integer(keys.head_check, Range{1, 1 << 20}, s.head()) != s.head())
    unsupported(tree, keys.head_check, fmt::format("only {} / {} = {} is supported", keys.width.name, keys.heads.name, s.head()));
}

// null_dim: rotary_dim is there as null, which rotates the whole head; where it is missing, the default does not.
void read_rotation(sim::ConfigReader& reader, const HfKeys& keys, bool null_dim, ModelShape& s) {
  if (keys.rotation == HfKeys::Rotation::none) return;
  std::string key = keys.heads.name;
  s.rotary = s.head();
  if (keys.rotation == HfKeys::Rotation::features) {
    key = "rotary_dim";
    s.rotary = static_cast<int>(reader.integer(key, Range{1, 1 << 20}, null_dim ? s.head() : 64));  // as transformers
  }
  if (keys.rotation == HfKeys::Rotation::fraction) {
    key = "rotary_pct";
    s.rotary = static_cast<int>(s.head() * reader.number(key, Range{0, 1}, 0.25));
  }
  if (!keys.rotary_base.name.empty()) s.rotary_base = number(reader, keys.rotary_base, Range{1.001, 1e12});
  if (s.rotary % 2 != 0 || s.rotary < 2 || s.rotary > s.head())
    reader.fail(key, fmt::format("rotates {} of a head's {} features; an even number of them, at least 2, is needed", s.rotary, s.head()));
}

void note_ignored(sim::ConfigReader& reader, const HfKeys& keys, HfConfig& config) {
  for (const std::string& key : keys.dropout) {
    const double rate = reader.number(key, Range{0, 1}, 0.0);
    if (rate > 0) config.ignored.push_back({key, fmt::format("{}", rate), "dropout is not applied"});
  }
  for (const std::string& key : keys.upcast)
    if (reader.boolean(key, false)) config.ignored.push_back({key, "true", "scores are accumulated in fp32 in any case"});
  for (const std::string& key : inert_hf_keys()) reader.accept(key);
}

// transformers writes null for "the default"; but rotary_dim (read_rotation).
sim::ConfigTree without_nulls(const sim::ConfigTree& tree) {
  sim::ConfigTree out = tree;
  for (const auto& [key, leaf] : tree.leaves()) {
    if (leaf.value.is_null()) out.erase(key);
  }
  return out;
}

}  // namespace

std::string text(const IgnoredKey& ignored) { return fmt::format("{} = {}: {}", ignored.key, ignored.value, ignored.why); }

HfConfig parse_hf_config(const sim::ConfigTree& given) {
  const sim::ConfigTree tree = without_nulls(given);
  sim::ConfigReader reader(tree);
  HfConfig config;
  ModelShape& s = config.shape;
  const HfKeys keys = read_family(reader, tree);
  s.family = keys.family;
  s.activation = read_activation(reader, tree, keys);
  check_plain(reader, tree, keys);
  s.layers = shape(reader, keys.layers, Range{1, 4096});
  s.width = shape(reader, keys.width, Range{1, 1 << 20});
  s.heads = shape(reader, keys.heads, Range{1, 1 << 16});
  s.positions = shape(reader, keys.positions, Range{1, 1 << 24});
  s.vocabulary = shape(reader, keys.vocabulary, Range{2, 1 << 24});
  HfKey inner = keys.inner;
  if (inner.standard == 0) inner.standard = 4.0 * s.width;
  s.inner = shape(reader, inner, Range{1, 1 << 22});
  s.layer_norm_epsilon = keys.epsilon.standard;
  if (!keys.epsilon.name.empty()) s.layer_norm_epsilon = reader.number(keys.epsilon.name, Range{1e-12, 1}, keys.epsilon.standard);
  if (!keys.token_types.empty()) s.token_types = static_cast<int>(reader.integer(keys.token_types, Range{1, 1 << 16}, 2));
  if (!keys.mask_token.empty())
    s.mask_token = static_cast<int>(reader.integer(keys.mask_token, Range{0, s.vocabulary - 1.0}, s.vocabulary - 1));
  if (!keys.width_check.empty() && reader.integer(keys.width_check, Range{1, 1 << 20}, s.width) != s.width)
    unsupported(tree, keys.width_check, fmt::format("only {} = {} is supported", keys.width.name, s.width));
  s.tied = reader.boolean("tie_word_embeddings", keys.tied);
  s.parallel_residual = keys.parallel.empty() ? family_form(s).mlp_norm.empty() : reader.boolean(keys.parallel, true);
  config.initializer_range = reader.number(keys.initializer, Range{0, 10}, config.initializer_range);
  int context = s.positions;
  if (!keys.context_check.empty()) context = static_cast<int>(reader.integer(keys.context_check, Range{1, 1 << 24}, s.positions));
  read_heads(reader, tree, keys, s);
  const sim::ConfigLeaf* dim = given.find("rotary_dim");
  read_rotation(reader, keys, dim != nullptr && dim->value.is_null(), s);
  note_ignored(reader, keys, config);
  reader.finish();
  if (context != s.positions) reader.fail(keys.context_check, fmt::format("contradicts {} = {}", keys.positions.name, s.positions));
  return config;
}

HfConfig read_hf_config(const std::filesystem::path& path) {
  return parse_hf_config(sim::ConfigTree(sim::read_json_file(path), path.string(), path.parent_path()));
}

nlohmann::ordered_json hf_config_to_json(const HfConfig& config) {
  const ModelShape& s = config.shape;
  const HfKeys keys = hf_keys(s.family);
  const auto known =
      std::find_if(keys.activations.begin(), keys.activations.end(), [&](const auto& a) { return a.second == s.activation; });
  nlohmann::ordered_json out = {
      {"model_type", name(s.family)},     {keys.activation, known->first},      {keys.layers.name, s.layers},
      {keys.width.name, s.width},         {keys.heads.name, s.heads},           {keys.inner.name, s.inner},
      {keys.positions.name, s.positions}, {keys.vocabulary.name, s.vocabulary}, {keys.initializer, config.initializer_range},
      {"tie_word_embeddings", s.tied}};
  if (!keys.epsilon.name.empty()) out[keys.epsilon.name] = s.layer_norm_epsilon;
  if (!keys.token_types.empty()) out[keys.token_types] = s.token_types;
  if (!keys.mask_token.empty()) out[keys.mask_token] = s.mask_token;
  if (!keys.kv_heads.empty()) out[keys.kv_heads] = s.key_heads();
  if (!keys.head_width.empty()) out[keys.head_width] = s.head();
  if (!keys.parallel.empty()) out[keys.parallel] = s.parallel_residual;
  if (!keys.rotary_base.name.empty()) out[keys.rotary_base.name] = s.rotary_base;
  if (keys.rotation == HfKeys::Rotation::features) out["rotary_dim"] = s.rotary;
  if (keys.rotation == HfKeys::Rotation::fraction) {
    const double fraction = static_cast<double>(s.rotary) / s.head();  // which, multiplied back and cut, may lose one
    out["rotary_pct"] = static_cast<int>(s.head() * fraction) == s.rotary ? fraction : std::nextafter(fraction, 1.0);
  }
  for (const IgnoredKey& ignored : config.ignored) out[ignored.key] = nlohmann::ordered_json::parse(ignored.value);
  return out;
}

}  // namespace wafersim::workloads
