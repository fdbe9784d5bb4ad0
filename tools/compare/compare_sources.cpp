#include "tools/compare/compare_sources.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <set>

#include "sim/config/nearest.h"
#include "sim/error.h"
#include "tools/compare/figures.h"
#include "tools/compare/golden.h"

namespace wafersim::compare {
namespace {

using nlohmann::json;
using Trees = std::map<std::string, json>;

Trees trees_of(const Source& source, bool golden) {
  return golden && source.kind == Kind::run ? Trees{{"", golden_of(source.trees.at(""))}} : source.trees;
}

void require_used(const std::vector<Tolerance>& tolerances, const Trees& a, const Trees& b) {
  if (tolerances.empty()) return;
  std::set<std::string> known;
  for (const Trees* side : {&a, &b})
    for (const auto& [point, tree] : *side)
      for (const Figure& figure : figures_of(tree)) known.insert(figure.key);
  for (const Tolerance& tolerance : tolerances) {
    if (std::any_of(known.begin(), known.end(), [&](const std::string& key) { return names(tolerance.key, key); })) continue;
    const std::string near = sim::nearest(tolerance.key, {known.begin(), known.end()});
    throw sim::Error(sim::ErrorCategory::config,
                     fmt::format("{} {}: names no figure of either side{}", std::isinf(tolerance.relative) ? "--ignore" : "--tolerance",
                                 tolerance.key, near.empty() ? "" : "; did you mean " + near + "?"));
  }
}

}  // namespace

Comparison compare_sources(const Source& a, const Source& b, const std::vector<Tolerance>& tolerances) {
  if ((a.kind == Kind::sweep) != (b.kind == Kind::sweep))
    throw sim::Error(sim::ErrorCategory::config, fmt::format("{} is a {} and {} is a {}: a sweep can be compared with a sweep only",
                                                             a.path.string(), name(a.kind), b.path.string(), name(b.kind)));
  const bool golden = a.kind == Kind::golden || b.kind == Kind::golden;
  const Trees before = trees_of(a, golden), after = trees_of(b, golden);
  require_used(tolerances, before, after);
  std::vector<Tolerance> all = standard_tolerances();
  all.insert(all.end(), tolerances.begin(), tolerances.end());

  std::set<std::string> points;
  for (const Trees* side : {&before, &after})
    for (const auto& [point, tree] : *side) points.insert(point);
  Comparison sum;
  for (const std::string& point : points) {
    if (before.count(point) == 0 || after.count(point) == 0) {
      const bool gone = before.count(point) != 0;
      ++sum.figures;
      sum.differences.push_back({point, "status", {}, {}, {}, 0, true});
      (gone ? sum.differences.back().a : sum.differences.back().b) = json("present");
      continue;
    }
    Comparison one = compare(before.at(point), after.at(point), all);
    sum.figures += one.figures;
    for (Difference& difference : one.differences) {
      difference.point = point;
      sum.differences.push_back(std::move(difference));
    }
  }
  return sum;
}

Comparison compare_configs(const Source& a, const Source& b) {
  if (!a.config.is_object() || !b.config.is_object()) return {};
  return compare(a.config, b.config, standard_tolerances());
}

}  // namespace wafersim::compare
