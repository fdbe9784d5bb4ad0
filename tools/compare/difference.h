#pragma once
// What differs between two trees of figures, and whether it may.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace wafersim::compare {

// For the figures that a key names: itself, and all below it. "*" stands for any text: breakdown.*.cycles.
struct Tolerance {
  std::string key;
  double relative = 0;  // of the larger magnitude; infinity: the figure is not looked at
};

// What depends on the host, on when and by whom a run was made.
std::vector<Tolerance> standard_tolerances();
// "KEY=1e-3". Error(config) unless there is a key and a number of at least 0 follows.
Tolerance parse_tolerance(const std::string& text);
bool names(const std::string& pattern, const std::string& key);

struct Difference {
  std::string point;  // of a sweep
  std::string key;
  std::optional<nlohmann::json> a, b;  // none: only the other side has the figure
  std::optional<double> relative;      // (b - a) / |a|, of two numbers; infinity from 0
  double tolerance = 0;
  bool beyond = true;
};

struct Comparison {
  std::size_t figures = 0;  // that either side has and that are looked at
  std::vector<Difference> differences;

  std::size_t beyond() const;
};

// The last tolerance that names a key holds; without one it is 0: equal.
Comparison compare(const nlohmann::json& a, const nlohmann::json& b, const std::vector<Tolerance>& tolerances);

}  // namespace wafersim::compare
