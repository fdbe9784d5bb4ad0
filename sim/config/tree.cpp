#include "sim/config/tree.h"

#include <algorithm>
#include <fmt/format.h>

#include "sim/error.h"
#include "sim/json_file.h"

namespace wafersim::sim {
namespace {

[[noreturn]] void fail(const std::string& text) { throw Error(ErrorCategory::config, text); }

void check_key(const std::string& key, const std::string& label) {
  const bool empty_part = key.empty() || key.front() == '.' || key.back() == '.' || key.find("..") != std::string::npos;
  if (empty_part) fail(label + ": key \"" + printable(key) + "\" has an empty part");
  if (std::count(key.begin(), key.end(), '.') >= max_json_depth) fail(label + ": key \"" + printable(key) + "\" has too many parts");
}

bool is_utf8(const std::string& text) {
  try {
    return !nlohmann::json(text).dump().empty();
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

}  // namespace

Override parse_override(const std::string& key_value) {
  const auto equal = key_value.find('=');
  if (equal == std::string::npos || equal == 0) fail("--set " + printable(key_value) + ": expected KEY=VALUE");
  return {key_value.substr(0, equal), key_value.substr(equal + 1), "--set " + printable(key_value)};
}

ConfigTree::ConfigTree(const nlohmann::json& root, const std::string& label, const std::filesystem::path& directory) : label_(label) {
  if (!root.is_object()) fail(label + ": expected a JSON object, found " + printable_json(root));
  const auto origin = std::make_shared<const ConfigOrigin>(ConfigOrigin{label, directory, false, {}});
  for (const auto& [key, value] : root.items()) insert(key, value, origin);
}

void ConfigTree::set(const Override& option, const std::filesystem::path& directory) {
  nlohmann::json value = option.value;
  if (nlohmann::json::accept(option.value)) value = parse_json(option.value, option.label);
  ConfigOrigin from{option.label, directory, true, {}};
  if (!value.is_object()) from.typed = option.value;
  const auto origin = std::make_shared<const ConfigOrigin>(std::move(from));
  check_key(option.key, option.label);
  if (!is_utf8(option.key) || !is_utf8(option.value)) fail(option.label + ": is not UTF-8");
  if (!value.is_object()) erase(option.key);
  insert(option.key, value, origin);
}

ConfigTree ConfigTree::below(const std::string& key) const {
  ConfigTree out;
  out.label_ = label_;
  out.prefix_ = prefix_ + key + ".";
  for (auto at = leaves_.lower_bound(key + "."); at != leaves_.end() && at->first.starts_with(key + "."); ++at) {
    out.leaves_.emplace(at->first.substr(key.size() + 1), at->second);
  }
  return out;
}

void ConfigTree::overlay(const ConfigTree& other) {
  for (const auto& [key, leaf] : other.leaves_) {
    if (leaf.value.is_object() && has_below(key)) continue;
    make_room(key, *leaf.origin);
    leaves_[key] = leaf;
  }
}

void ConfigTree::erase(const std::string& key) {
  leaves_.erase(key);
  auto at = leaves_.lower_bound(key + ".");
  while (at != leaves_.end() && at->first.starts_with(key + ".")) at = leaves_.erase(at);
}

const ConfigLeaf* ConfigTree::find(const std::string& key) const {
  const auto at = leaves_.find(key);
  return at == leaves_.end() ? nullptr : &at->second;
}

bool ConfigTree::has_below(const std::string& key) const {
  const auto at = leaves_.lower_bound(key + ".");
  return at != leaves_.end() && at->first.starts_with(key + ".");
}

std::string ConfigTree::message(const std::string& key, const std::string& what) const {
  const ConfigLeaf* leaf = find(key);
  if (leaf == nullptr) return label_ + ": " + printable(prefix_ + key) + ": " + what;
  if (leaf->origin->typed) return leaf->origin->label + ": " + what;
  return leaf->origin->label + ": " + printable(leaf->name) + " = " + printable_json(leaf->value) + ": " + what;
}

void ConfigTree::insert(const std::string& key, const nlohmann::json& value, const std::shared_ptr<const ConfigOrigin>& origin) {
  check_key(key, origin->label);
  if (value.is_object() && !value.empty()) {
    for (const auto& [part, inner] : value.items()) insert(fmt::format("{}.{}", key, part), inner, origin);
    return;
  }
  if (value.is_object() && has_below(key)) return;  // an empty object adds nothing
  make_room(key, *origin);
  leaves_[key] = ConfigLeaf{key, value, origin};
}

// Refuses what one origin says twice; a later origin replaces what an earlier one said.
void ConfigTree::make_room(const std::string& key, const ConfigOrigin& origin) {
  const auto claims = [&](const ConfigLeaf& leaf) { return leaf.origin.get() == &origin; };
  for (auto dot = key.find('.'); dot != std::string::npos; dot = key.find('.', dot + 1)) {
    const auto parent = leaves_.find(key.substr(0, dot));
    if (parent == leaves_.end()) continue;
    const bool empty_object = parent->second.value.is_object();
    if (claims(parent->second) && !empty_object) fail(message(parent->first, "is given both as a value and as an object"));
    leaves_.erase(parent);
  }
  const ConfigLeaf* same = find(key);
  if (same != nullptr && claims(*same)) fail(message(key, "is given twice"));
  if (has_below(key)) {
    if (claims(leaves_.lower_bound(key + ".")->second)) fail(message(key, "is given both as a value and as an object"));
    erase(key);
  }
}

}  // namespace wafersim::sim
