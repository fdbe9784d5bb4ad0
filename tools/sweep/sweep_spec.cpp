#include "tools/sweep/sweep_spec.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "sim/config/nearest.h"
#include "sim/error.h"
#include "sim/json_file.h"
#include "workloads/presets.h"
#include "workloads/run_spec.h"

namespace wafersim::tools {
namespace {

using nlohmann::json;

constexpr std::size_t most_points = 100000;
const std::vector<std::string> operators = {"==", "!=", "<", "<=", ">", ">="};

[[noreturn]] void fail(const std::string& label, const std::string& what) {
  throw sim::Error(sim::ErrorCategory::config, label + ": " + what);
}

std::string suggestion(const std::string& wanted, const std::vector<std::string>& known) {
  const std::string near = sim::nearest(wanted, known);
  return near.empty() ? "" : fmt::format("; the nearest is {}", near);
}

void check_keys(const json& root, const std::string& label) {
  if (!root.is_object()) fail(label, "expected a JSON object, found " + sim::printable_json(root));
  const std::vector<std::string> known = {"about", "base", "set", "axes", "zip", "conditions"};
  for (const auto& [key, value] : root.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end())
      fail(label, fmt::format("{} = {}: unknown key of a sweep{}; known are {}", sim::printable(key), sim::printable_json(value),
                              suggestion(key, known), fmt::join(known, ", ")));
  }
  for (const char* needed : {"base", "axes"}) {
    if (!root.contains(needed)) fail(label, fmt::format("{}: is required and missing", needed));
  }
}

sim::ConfigTree read_base(const json& base, const std::string& label, const std::filesystem::path& directory) {
  if (base.is_object()) return sim::ConfigTree(base, label + ": base", directory);
  if (!base.is_string()) fail(label, "base: expected a preset's name, a path or a configuration, found " + sim::printable_json(base));
  const std::filesystem::path file = directory / base.get<std::string>();
  std::error_code code;
  try {
    return workloads::read_config_tree(std::filesystem::exists(file, code) ? file.string() : base.get<std::string>(), directory);
  } catch (const sim::Error& error) {
    throw sim::Error(error.category(), label + ": base: " + error.what());
  }
}

std::vector<std::string> keys_of(const std::vector<Axis>& axes) {
  std::vector<std::string> keys;
  for (const Axis& axis : axes) keys.push_back(axis.key);
  return keys;
}

std::size_t find_axis(const std::vector<Axis>& axes, const json& name, const std::string& label) {
  const auto at = std::find_if(axes.begin(), axes.end(), [&](const Axis& axis) { return name == axis.key; });
  if (at == axes.end()) {
    const std::string near = name.is_string() ? suggestion(name.get<std::string>(), keys_of(axes)) : "";
    fail(label, fmt::format("{} is no axis of the sweep{}", sim::printable_json(name), near));
  }
  return static_cast<std::size_t>(at - axes.begin());
}

// The zipped ones, then every other axis alone; by their first axes.
std::vector<std::vector<std::size_t>> read_groups(const json& zip, const std::vector<Axis>& axes, const std::string& label) {
  if (!zip.is_array()) fail(label, "expected a list of lists of axes, found " + sim::printable_json(zip));
  std::vector<std::vector<std::size_t>> groups;
  std::set<std::size_t> grouped;
  for (const json& names : zip) {
    if (!names.is_array() || names.empty()) fail(label, "expected a list of axes, found " + sim::printable_json(names));
    std::vector<std::size_t> group;
    for (const json& name : names) {
      group.push_back(find_axis(axes, name, label));
      if (!grouped.insert(group.back()).second) fail(label, fmt::format("{} is there twice", sim::printable_json(name)));
      const Axis &first = axes[group.front()], &last = axes[group.back()];
      if (first.values.size() != last.values.size())
        fail(label, fmt::format("{} has {} values and {} has {}; axes that go together have as many", first.key, first.values.size(),
                                last.key, last.values.size()));
    }
    std::sort(group.begin(), group.end());
    groups.push_back(group);
  }
  for (std::size_t k = 0; k < axes.size(); ++k)
    if (grouped.count(k) == 0) groups.push_back({k});
  std::sort(groups.begin(), groups.end());
  return groups;
}

// Text that is neither an axis, nor a value of the axis on the left, nor a number where that one has numbers: most likely a slip.
bool is_astray(const json& right, const Axis& left, const std::vector<std::string>& axes) {
  const auto number = [](const json& value) { return axis_number(value).valid; };
  const bool known = !right.is_string() || number(right) || std::find(axes.begin(), axes.end(), right) != axes.end() ||
                     std::find(left.values.begin(), left.values.end(), right) != left.values.end();
  return !known && std::any_of(left.values.begin(), left.values.end(), number);
}

Condition read_condition(const json& triple, const std::vector<Axis>& axes, const std::string& label) {
  if (!triple.is_array() || triple.size() != 3)
    fail(label, fmt::format("{}: expected [axis, operator, value or axis]", sim::printable_json(triple)));
  const Axis& left = axes[find_axis(axes, triple[0], label)];
  Condition condition{left.key, "", triple[2]};
  if (triple[1].is_string()) condition.op = triple[1].get<std::string>();
  if (std::find(operators.begin(), operators.end(), condition.op) == operators.end())
    fail(label, fmt::format("{}: expected one of {}", sim::printable_json(triple[1]), fmt::join(operators, " ")));
  if (is_astray(condition.right, left, keys_of(axes)))
    fail(label, fmt::format("{} is neither a number nor an axis of the sweep{}", sim::printable_json(condition.right),
                            suggestion(condition.right.get<std::string>(), keys_of(axes))));
  return condition;
}

bool compare(double left, const std::string& op, double right) {
  if (op == "==") return left == right;
  if (op == "!=") return left != right;
  if (op == "<") return left < right;
  if (op == "<=") return left <= right;
  return op == ">" ? left > right : left >= right;
}

bool holds(const Condition& condition, const PointValues& point, const std::string& label) {
  const json& left = point.at(condition.axis);
  const bool axis = condition.right.is_string() && point.count(condition.right.get<std::string>()) > 0;
  const json& right = axis ? point.at(condition.right.get<std::string>()) : condition.right;
  const AxisNumber a = axis_number(left), b = axis_number(right);
  if (a.valid && b.valid) {
    if (a.unit != b.unit && !a.unit.empty() && !b.unit.empty())
      fail(label, fmt::format("{} {} {}: these have different units", sim::printable_json(left), condition.op, sim::printable_json(right)));
    return compare(a.value, condition.op, b.value);
  }
  if (condition.op == "==" || condition.op == "!=") return (left == right) == (condition.op == "==");
  fail(label, fmt::format("{} {} {}: only numbers have an order", sim::printable_json(left), condition.op, sim::printable_json(right)));
}

}  // namespace

SweepSpec read_sweep(const std::string& label) {
  std::error_code code;
  const std::filesystem::path file = label;
  const workloads::Preset* preset =
      std::filesystem::exists(file, code) ? nullptr : workloads::find_preset(workloads::sweep_presets(), label);
  if (preset == nullptr && !std::filesystem::exists(file, code))
    fail(sim::printable(label, 200), fmt::format("no such file, nor a sweep that comes with the program; those are {}",
                                                 fmt::join(workloads::preset_names(workloads::sweep_presets()), ", ")));
  const json root = preset != nullptr ? sim::parse_json(preset->text, label) : sim::read_json_file(file);
  check_keys(root, label);
  const std::filesystem::path directory =
      preset != nullptr ? std::filesystem::current_path() : std::filesystem::absolute(file).parent_path();
  SweepSpec sweep{label, directory, "", read_base(root["base"], label, directory), {}, {}, {}, {}};
  const json about = root.value("about", json("")), set = root.value("set", json::object());
  if (!about.is_string()) fail(label, "about: expected text, found " + sim::printable_json(about));
  sweep.about = about.get<std::string>();
  if (!root["axes"].is_object() || root["axes"].empty())
    fail(label, R"(axes: expected an object as in {"training.batch": [33, 66]}, found )" + sim::printable_json(root["axes"]));
  for (const auto& [key, values] : root["axes"].items())
    sweep.axes.push_back(parse_axis(key, values, fmt::format("{}: axes.{}", label, sim::printable(key))));
  if (!set.is_object()) fail(label, "set: expected an object of keys and values, found " + sim::printable_json(set));
  for (const auto& [key, value] : set.items()) {
    if (root["axes"].contains(key)) fail(label, fmt::format("set.{}: is an axis, too", sim::printable(key)));
    sweep.fixed.emplace(key, value);
  }
  sweep.groups = read_groups(root.value("zip", json::array()), sweep.axes, label + ": zip");
  const json conditions = root.value("conditions", json::array());
  if (!conditions.is_array()) fail(label, "conditions: expected a list, found " + sim::printable_json(conditions));
  for (const json& triple : conditions) sweep.conditions.push_back(read_condition(triple, sweep.axes, label + ": conditions"));
  return sweep;
}

std::vector<PointValues> sweep_points(const SweepSpec& sweep) {
  std::vector<PointValues> points = {{}};
  for (const std::vector<std::size_t>& group : sweep.groups) {
    const std::size_t count = sweep.axes[group.front()].values.size();
    if (points.size() * count > most_points) fail(sweep.label, fmt::format("axes: more than {} points", most_points));
    std::vector<PointValues> longer;
    for (const PointValues& point : points) {
      for (std::size_t k = 0; k < count; ++k) {
        longer.push_back(point);
        for (const std::size_t axis : group) longer.back()[sweep.axes[axis].key] = sweep.axes[axis].values[k];
      }
    }
    points = std::move(longer);
  }
  std::erase_if(points, [&](const PointValues& point) {
    return !std::all_of(sweep.conditions.begin(), sweep.conditions.end(),
                        [&](const Condition& condition) { return holds(condition, point, sweep.label + ": conditions"); });
  });
  if (points.empty()) fail(sweep.label, "conditions: no point meets them all");
  return points;
}

}  // namespace wafersim::tools
