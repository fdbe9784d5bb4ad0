#include "tools/compare/difference.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <unordered_map>

#include "sim/error.h"
#include "tools/compare/figures.h"

namespace wafersim::compare {
namespace {

using nlohmann::json;

constexpr double anything = std::numeric_limits<double>::infinity();

// A prefix of `key` that ends with it or before a dot.
bool matches(std::string_view pattern, std::string_view key) {
  if (pattern.empty()) return key.empty() || key.front() == '.';
  if (pattern.front() == '*') {
    for (std::size_t skipped = 0; skipped <= key.size(); ++skipped)
      if (matches(pattern.substr(1), key.substr(skipped))) return true;
    return false;
  }
  return !key.empty() && pattern.front() == key.front() && matches(pattern.substr(1), key.substr(1));
}

double tolerance_of(const std::string& key, const std::vector<Tolerance>& tolerances) {
  const auto last = std::find_if(tolerances.rbegin(), tolerances.rend(), [&](const Tolerance& t) { return names(t.key, key); });
  return last == tolerances.rend() ? 0 : last->relative;
}

std::optional<double> change(const std::optional<json>& a, const std::optional<json>& b) {
  if (!a || !b || !a->is_number() || !b->is_number()) return std::nullopt;
  const double from = a->get<double>(), to = b->get<double>();
  return from == 0 ? std::copysign(anything, to) : (to - from) / std::abs(from);
}

bool is_within(const Difference& d) {
  if (!d.relative) return false;
  const double from = d.a->get<double>(), to = d.b->get<double>();
  return d.tolerance > 0 && std::abs(to - from) <= d.tolerance * std::max(std::abs(from), std::abs(to));
}

}  // namespace

std::vector<Tolerance> standard_tolerances() {
  return {{"host", anything}, {"*.host", anything}, {"version", anything}, {"provenance", anything}};
}

Tolerance parse_tolerance(const std::string& text) {
  const std::size_t equals = text.rfind('=');
  const char* number = equals == std::string::npos ? "" : text.c_str() + equals + 1;
  char* end = nullptr;
  const double relative = std::strtod(number, &end);
  if (equals == 0 || *number == '\0' || *end != '\0' || !(relative >= 0))
    throw sim::Error(sim::ErrorCategory::config, "--tolerance " + text + ": must be KEY=RELATIVE, as in step.cycles=1e-3");
  return {text.substr(0, equals), relative};
}

bool names(const std::string& pattern, const std::string& key) { return matches(pattern, key); }

std::size_t Comparison::beyond() const {
  return static_cast<std::size_t>(std::count_if(differences.begin(), differences.end(), [](const Difference& d) { return d.beyond; }));
}

Comparison compare(const json& a, const json& b, const std::vector<Tolerance>& tolerances) {
  Comparison comparison;
  std::unordered_map<std::string, json> others;
  for (Figure& figure : figures_of(b)) others.emplace(std::move(figure.key), std::move(figure.value));
  const auto look = [&](const std::string& key, std::optional<json> before, std::optional<json> after) {
    const double tolerance = tolerance_of(key, tolerances);
    if (tolerance == anything) return;
    ++comparison.figures;
    if (before == after) return;
    Difference difference{"", key, std::move(before), std::move(after), {}, tolerance, true};
    difference.relative = change(difference.a, difference.b);
    difference.beyond = !is_within(difference);
    comparison.differences.push_back(std::move(difference));
  };
  for (const Figure& figure : figures_of(a)) {
    const auto other = others.find(figure.key);
    look(figure.key, figure.value, other == others.end() ? std::nullopt : std::optional<json>(other->second));
    if (other != others.end()) others.erase(other);
  }
  for (const Figure& figure : figures_of(b))
    if (others.count(figure.key) != 0) look(figure.key, std::nullopt, figure.value);
  return comparison;
}

}  // namespace wafersim::compare
