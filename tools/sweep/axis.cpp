#include "tools/sweep/axis.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <initializer_list>

#include "sim/config/nearest.h"
#include "sim/config/units.h"
#include "sim/error.h"
#include "sim/json_file.h"

namespace wafersim::tools {
namespace {

using nlohmann::json;

constexpr double most_values = 100000;

[[noreturn]] void fail(const std::string& label, const std::string& what) {
  throw sim::Error(sim::ErrorCategory::config, label + ": " + what);
}

AxisNumber end_of_range(const json& range, const char* key, const std::string& label) {
  if (!range.contains(key)) fail(label, fmt::format("a range needs \"{}\", as in {{\"from\": 1, \"to\": 9, \"step\": 2}}", key));
  AxisNumber number = axis_number(range[key]);
  if (!number.valid)
    fail(label, fmt::format("{} = {}: expected a number, or one with a unit as text", key, sim::printable_json(range[key])));
  return number;
}

json in_base_unit(double value, bool whole) {
  constexpr double exact = 0x1p53;
  if (std::abs(value) < exact && (whole || value == std::floor(value))) return static_cast<std::int64_t>(std::llround(value));
  return value;
}

// Between the ends of a range.
json between(double value, bool whole) { return in_base_unit(whole ? value : std::stod(fmt::format("{:.6g}", value)), whole); }

std::vector<json> steps(double from, double to, double step, bool whole, const std::string& label) {
  if (!(step * (to - from) >= 0) || step == 0) fail(label, "step does not lead from \"from\" to \"to\"");
  const double count = std::floor((to - from) / step * (1 + 1e-12) + 1e-9) + 1;
  if (count > most_values) fail(label, fmt::format("has more than {} values", most_values));
  std::vector<json> values;
  for (int k = 0; k < static_cast<int>(count); ++k) values.push_back(k == 0 ? in_base_unit(from, whole) : between(from + k * step, whole));
  return values;
}

std::vector<json> divided(double from, double to, int count, bool logarithmic, bool whole, const std::string& label) {
  if (logarithmic && !(from > 0 && to > 0)) fail(label, "a log range needs ends above 0");
  std::vector<json> values = {in_base_unit(from, whole)};
  for (int k = 1; k + 1 < count; ++k) {
    const double part = static_cast<double>(k) / (count - 1);
    values.push_back(between(logarithmic ? from * std::pow(to / from, part) : from + part * (to - from), whole));
  }
  values.push_back(in_base_unit(to, whole));
  return values;
}

std::vector<json> range_values(const json& range, const std::string& label) {
  const std::vector<std::string> known = {"from", "to", "step", "count", "scale"};
  for (const auto& [key, value] : range.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string near = sim::nearest(key, known);
    fail(label, fmt::format("unknown key {}{}; a range has from, to and step, or from, to, count and scale", sim::printable(key),
                            near.empty() ? "" : fmt::format(" (nearest is {})", near)));
  }
  const AxisNumber from = end_of_range(range, "from", label), to = end_of_range(range, "to", label);
  if (from.unit != to.unit) fail(label, "\"from\" and \"to\" have different units");
  if (range.contains("step") == range.contains("count")) fail(label, "a range has either step or count");
  if (range.contains("step")) {
    if (range.contains("scale")) fail(label, "scale goes with count, not with step");
    const AxisNumber step = end_of_range(range, "step", label);
    if (step.unit != from.unit) fail(label, "\"from\" and \"step\" have different units");
    return steps(from.value, to.value, step.value, from.whole && step.whole, label);
  }
  const json& count = range["count"];
  if (!count.is_number_integer() || count.get<double>() < 2 || count.get<double>() > most_values)
    fail(label, fmt::format("count = {}: expected a whole number from 2 to {}", sim::printable_json(count), most_values));
  const json scale = range.value("scale", json("linear"));
  if (scale != "linear" && scale != "log") fail(label, fmt::format("scale = {}: expected linear or log", sim::printable_json(scale)));
  return divided(from.value, to.value, count.get<int>(), scale == "log", from.whole && to.whole, label);
}

}  // namespace

AxisNumber axis_number(const json& value) {
  if (value.is_number()) return {true, value.get<double>(), value.is_number_integer(), ""};
  if (!value.is_string()) return {};
  for (const sim::Unit unit :
       {sim::Unit::hertz, sim::Unit::bytes, sim::Unit::bytes_per_second, sim::Unit::seconds, sim::Unit::per_second}) {
    const sim::ParsedQuantity parsed = sim::parse_quantity(value.get<std::string>(), unit);
    if (parsed.valid) return {true, parsed.value, unit == sim::Unit::bytes, sim::symbol(unit)};
  }
  return {};
}

Axis parse_axis(const std::string& key, const json& values, const std::string& label) {
  Axis axis{key, {}};
  if (values.is_object()) {
    axis.values = range_values(values, label);
  } else if (values.is_array()) {
    axis.values.assign(values.begin(), values.end());
  } else {
    fail(label, fmt::format("{}: expected a list of values, or a range as in {{\"from\": 1, \"to\": 9, \"step\": 2}}",
                            sim::printable_json(values)));
  }
  if (axis.values.empty()) fail(label, "has no values");
  for (std::size_t k = 0; k < axis.values.size(); ++k) {
    if (std::find(axis.values.begin(), axis.values.begin() + static_cast<std::ptrdiff_t>(k), axis.values[k]) !=
        axis.values.begin() + static_cast<std::ptrdiff_t>(k))
      fail(label, fmt::format("the value {} is there twice", sim::printable_json(axis.values[k])));
  }
  return axis;
}

}  // namespace wafersim::tools
