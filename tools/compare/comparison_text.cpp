#include "tools/compare/comparison_text.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>

#include "sim/json_file.h"

namespace wafersim::compare {
namespace {

using nlohmann::json, nlohmann::ordered_json;

constexpr std::size_t value_width = 22;

std::string value_text(const std::optional<json>& value) {
  if (!value) return "absent";
  return sim::printable(value->is_string() ? value->get<std::string>() : value->dump(), value_width);
}

std::string change_text(const Difference& d) {
  if (!d.relative) return d.a && d.b ? "differs" : d.a ? "gone" : "new";
  return std::isinf(*d.relative) ? "from 0" : fmt::format("{:+.3g} %", 100 * *d.relative);
}

std::string tolerance_text(const Difference& d) {
  return d.tolerance == 0 ? "exact" : fmt::format("{:g}{}", d.tolerance, d.beyond ? "" : ", kept");
}

std::string full_key(const Difference& d) { return d.point.empty() ? d.key : d.point + "  " + d.key; }

struct Section {
  std::size_t beyond = 0, within = 0;
  const Difference* most = nullptr;  // relative to its size
};

double size_of(const Difference& d) { return d.relative ? std::abs(*d.relative) : -1; }

std::string sections_text(const Comparison& comparison) {
  std::map<std::string, Section> sections;
  std::size_t width = 7;
  for (const Difference& d : comparison.differences) {
    const std::string name = d.key.substr(0, d.key.find('.'));
    Section& section = sections[name];
    ++(d.beyond ? section.beyond : section.within);
    if (section.most == nullptr || size_of(d) > size_of(*section.most)) section.most = &d;
    width = std::max(width, name.size());
  }
  std::string text = fmt::format("{:<{}} {:>7} {:>7}  largest change\n", "section", width, "beyond", "within");
  for (const auto& [name, section] : sections)
    text += fmt::format("{:<{}} {:>7} {:>7}  {} ({})\n", name, width, section.beyond, section.within, change_text(*section.most),
                        full_key(*section.most));
  return text;
}

// What is read first: where a step's time went, then numbers.
int rank(const Difference& d) {
  constexpr const char* first[] = {"status", "exit_code", "error", "step", "loss", "throughput", "breakdown", "digests"};
  const std::string section = d.key.substr(0, d.key.find('.'));
  const auto* place = std::find(std::begin(first), std::end(first), section);
  return (d.beyond ? 0 : 100) + static_cast<int>(place - std::begin(first));
}

std::string rows_text(const Comparison& comparison, std::size_t rows) {
  std::vector<const Difference*> order;
  for (const Difference& d : comparison.differences) order.push_back(&d);
  std::stable_sort(order.begin(), order.end(), [](const Difference* a, const Difference* b) { return rank(*a) < rank(*b); });
  order.resize(std::min(order.size(), rows));
  std::size_t width = 6;
  for (const Difference* d : order) width = std::max(width, full_key(*d).size());
  std::string text = fmt::format("{:<{}} {:>{}} {:>{}} {:>10}  tolerance\n", "figure", width, "A", value_width, "B", value_width, "change");
  for (const Difference* d : order)
    text += fmt::format("{:<{}} {:>{}} {:>{}} {:>10}  {}\n", full_key(*d), width, value_text(d->a), value_width, value_text(d->b),
                        value_width, change_text(*d), tolerance_text(*d));
  if (const std::size_t more = comparison.differences.size() - order.size(); more > 0)
    text += fmt::format("{} more (--rows {})\n", more, comparison.differences.size());
  return text;
}

json or_null(const std::optional<json>& value) { return value ? *value : json(); }

}  // namespace

std::string comparison_text(const Comparison& comparison, std::size_t rows) {
  const std::size_t moved = comparison.differences.size(), beyond = comparison.beyond();
  if (moved == 0) return fmt::format("{} figures compared: equal\n", comparison.figures);
  return fmt::format("{} figures compared: {} beyond their tolerance, {} moved within it\n\n", comparison.figures, beyond, moved - beyond) +
         sections_text(comparison) + "\n" + rows_text(comparison, rows);
}

ordered_json comparison_json(const Comparison& comparison, const Source& a, const Source& b) {
  const std::size_t moved = comparison.differences.size(), beyond = comparison.beyond();
  ordered_json differences = ordered_json::array();
  for (const Difference& d : comparison.differences) {
    differences.push_back({{"key", d.key},
                           {"a", or_null(d.a)},
                           {"b", or_null(d.b)},
                           {"change", d.relative && std::isfinite(*d.relative) ? ordered_json(*d.relative) : ordered_json()},
                           {"tolerance", d.tolerance},
                           {"beyond", d.beyond}});
    if (!d.point.empty()) differences.back()["point"] = d.point;
  }
  return {{"provenance", {{"a", a.provenance}, {"b", b.provenance}}},
          {"equal", beyond == 0},
          {"figures", comparison.figures},
          {"beyond", beyond},
          {"within", moved - beyond},
          {"differences", differences}};
}

}  // namespace wafersim::compare
