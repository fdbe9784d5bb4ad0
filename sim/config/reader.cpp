#include "sim/config/reader.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <system_error>

#include "sim/config/nearest.h"
#include "sim/config/tree.h"
#include "sim/error.h"

namespace wafersim::sim {
namespace {

std::string describe(const char* what, Range range, Unit unit) {
  const char* unit_text = symbol(unit);
  std::string out = fmt::format("expected {} from {:.16g} to {:.16g}", what, range.low, range.high);
  if (unit != Unit::none) out += fmt::format(" {} (units: {})", unit_text, spellings(unit));
  return out;
}

bool inside(double value, Range range) { return value >= range.low && value <= range.high; }

}  // namespace

bool ConfigReader::given(const std::string& key) const { return tree_.find(key) != nullptr || tree_.has_below(key); }

bool ConfigReader::given_on_command_line(const std::string& key) const {
  const ConfigLeaf* leaf = tree_.find(key);
  return leaf != nullptr && leaf->origin->command_line;
}

void ConfigReader::fail(const std::string& key, const std::string& what) const {
  throw Error(ErrorCategory::config, tree_.message(key, what));
}

// Makes the key known; true when it has no value.
bool ConfigReader::missing(const std::string& key, bool required) {
  known_.push_back(key);
  if (tree_.find(key) != nullptr) return false;
  if (tree_.has_below(key)) fail(key, "expected a value, found an object");
  if (required && first_missing_.empty()) first_missing_ = key;
  return true;
}

std::int64_t ConfigReader::integer(const std::string& key, Range range, std::optional<std::int64_t> standard, Unit unit) {
  if (missing(key, !standard)) return standard.value_or(static_cast<std::int64_t>(range.low));
  const double value = quantity(key, "an integer", range, unit);
  if (value != std::floor(value)) fail(key, describe("an integer", range, unit));
  return static_cast<std::int64_t>(value);
}

double ConfigReader::number(const std::string& key, Range range, std::optional<double> standard, Unit unit) {
  if (missing(key, !standard)) return standard.value_or(range.low);
  return quantity(key, "a number", range, unit);
}

// The value of a key that has one, in the base unit; `what` names in a refusal what was expected.
double ConfigReader::quantity(const std::string& key, const char* what, Range range, Unit unit) const {
  const nlohmann::json& value = tree_.find(key)->value;
  double out = 0.0;
  if (value.is_number()) {
    out = value.get<double>();
  } else if (value.is_string() && unit != Unit::none) {
    const ParsedQuantity parsed = parse_quantity(value.get_ref<const std::string&>(), unit);
    if (!parsed.valid) fail(key, parsed.problem);
    out = parsed.value;
  } else {
    fail(key, describe(what, range, unit));
  }
  if (!inside(out, range)) fail(key, describe(what, range, unit));
  return out;
}

bool ConfigReader::boolean(const std::string& key, std::optional<bool> standard) {
  if (missing(key, !standard)) return standard.value_or(false);
  const nlohmann::json& value = tree_.find(key)->value;
  if (!value.is_boolean()) fail(key, "expected true or false");
  return value.get<bool>();
}

std::string ConfigReader::text(const std::string& key, const std::optional<std::string>& standard) {
  if (missing(key, !standard)) return standard.value_or("");
  const ConfigLeaf& leaf = *tree_.find(key);
  if (leaf.value.is_string()) return leaf.value.get<std::string>();
  if (!leaf.origin->typed || leaf.value.is_structured()) fail(key, "expected text");
  return *leaf.origin->typed;  // --set data.text=2024 names a file, not a number
}

std::filesystem::path ConfigReader::path(const std::string& key) {
  if (missing(key, false)) return {};
  const std::string name = text(key);
  if (name.empty() || name.find('\0') != std::string::npos) fail(key, "expected the name of a file");
  std::error_code code;
  const auto whole = std::filesystem::absolute(tree_.find(key)->origin->directory / name, code);
  if (code) fail(key, "cannot be made an absolute path");
  return whole.lexically_normal();
}

std::size_t ConfigReader::choice(const std::string& key, const std::vector<std::string>& names, std::optional<std::size_t> standard) {
  if (missing(key, !standard)) return standard.value_or(0);
  const std::string name = text(key);
  const auto at = std::find(names.begin(), names.end(), name);
  if (at != names.end()) return static_cast<std::size_t>(at - names.begin());
  const std::string guess = nearest(name, names);
  fail(key, fmt::format("expected one of {}{}", fmt::join(names, ", "), guess.empty() ? "" : "; nearest is " + guess));
}

std::vector<int> ConfigReader::integers(const std::string& key, Range range, const std::vector<int>& standard) {
  if (missing(key, false)) return standard;
  const nlohmann::json& value = tree_.find(key)->value;
  const auto bad = [&](const nlohmann::json& one) { return !one.is_number_integer() || !inside(one.get<double>(), range); };
  if (!value.is_array() || value.size() != standard.size() || std::any_of(value.begin(), value.end(), bad)) {
    fail(key, fmt::format("expected an array of {} integers from {:.16g} to {:.16g}", standard.size(), range.low, range.high));
  }
  return value.get<std::vector<int>>();
}

void ConfigReader::accept(const std::string& key) {
  known_.push_back(key);
  accepted_.push_back(key);
}

void ConfigReader::finish() const {
  for (const auto& [key, leaf] : tree_.leaves()) {
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    const auto covers = [&k = key](const std::string& accepted) { return k.starts_with(accepted + "."); };
    if (std::any_of(accepted_.begin(), accepted_.end(), covers)) continue;
    const auto inside_key = [&k = key](const std::string& known) { return known.starts_with(k + "."); };
    if (!std::any_of(known_.begin(), known_.end(), inside_key)) fail(key, unknown(key));
    if (!leaf.value.is_object()) fail(key, "expected an object");
  }
  if (!first_missing_.empty()) fail(first_missing_, "is required and missing");
}

// "unknown key; the nearest known key is ...; known in "training" are ...".
std::string ConfigReader::unknown(const std::string& key) const {
  std::string parent = key;
  std::vector<std::string> siblings;
  while (siblings.empty() && !parent.empty()) {
    const auto dot = parent.rfind('.');
    parent.resize(dot == std::string::npos ? 0 : dot);
    const std::size_t start = parent.empty() ? 0 : parent.size() + 1;
    for (const std::string& known : known_) {
      if (!parent.empty() && !known.starts_with(parent + ".")) continue;
      siblings.push_back(known.substr(start, known.find('.', start) - start));
    }
  }
  std::sort(siblings.begin(), siblings.end());
  siblings.erase(std::unique(siblings.begin(), siblings.end()), siblings.end());
  const std::string guess = nearest(key, known_);
  return fmt::format("unknown key{}; known {}: {}", guess.empty() ? "" : ", the nearest known key is " + guess,
                     parent.empty() ? "keys" : "in " + parent, fmt::join(siblings, ", "));
}

}  // namespace wafersim::sim
