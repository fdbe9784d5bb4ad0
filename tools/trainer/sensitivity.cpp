#include "tools/trainer/sensitivity.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <utility>

#include "memoryx/link_timing.h"
#include "models/machine_config.h"
#include "models/machine_sources.h"
#include "sim/config/reader.h"
#include "sim/config/tree.h"
#include "sim/error.h"
#include "workloads/kernels/lower.h"
#include "workloads/mapping.h"

namespace wafersim::tools {
namespace {

using nlohmann::ordered_json;

constexpr std::array<double, 2> factors = {0.5, 1.5};
// Of those that are no assumptions. The rates are those of the fused multiply-adds and their operands.
constexpr std::array<const char*, 10> known_keys = {"core.clock",          "io.wafer_bandwidth",  "memoryx.bandwidth", "sram.bytes",
                                                    "core.rate.mixed_fma", "core.rate.single",    "fabric.hop_cycles", "core.issue_cycles",
                                                    "core.rate.half",      "core.rate.single_fma"};

constexpr const char* derived_key = "io.edge_queue_words";

bool starts_with(const std::string& text, const std::string& with) { return text.compare(0, with.size(), with) == 0; }

ordered_json::json_pointer pointer_to(const std::string& key) {
  std::string path = "/" + key;
  std::replace(path.begin(), path.end(), '.', '/');
  return ordered_json::json_pointer(path);
}

// Nothing: the number stays the same.
std::optional<ordered_json> scaled(const ordered_json& value, double factor) {
  if (value.is_array()) {
    ordered_json all = ordered_json::array();
    for (const ordered_json& element : value) all.push_back(scaled(element, factor).value_or(element));
    if (all == value) return {};
    return all;
  }
  if (!value.is_number()) return {};
  const double product = value.get<double>() * factor;
  ordered_json result = product;
  if (value.is_number_integer()) result = static_cast<std::int64_t>(factor > 1 ? std::ceil(product) : std::floor(product));
  if (result == value) return {};
  return result;
}

double mean_of(const ordered_json& value) {
  if (!value.is_array()) return value.get<double>();
  double sum = 0;
  for (const ordered_json& element : value) sum += element.get<double>();
  return sum;
}

// Only what a PE's memory holds can make another mapping better or this one impossible.
bool is_of_memory(const std::string& key) { return starts_with(key, "sram."); }

PreparedRun variant_of(const PreparedRun& run, const std::string& key, const models::MachineSpec& machine) {
  PreparedRun variant = run;
  variant.spec.machine = machine;
  if (is_of_memory(key)) {
    workloads::RunSpec timed = variant.spec;
    timed.numerics = false;
    return prepare_run(timed);
  }
  const memoryx::LinkTiming link = memoryx::make_link_timing(machine.io, machine.core.clock, run.height());
  variant.edge_queue_words = memoryx::edge_queue_words(machine.io, link, workloads::edge_queue_need(run.lowering, run.graph, machine.core));
  return variant;
}

// The run with the number `key` of a machine, which is `value`, times a factor; nothing where that is the same number.
std::optional<Sensitivity::Point> point_at(const PreparedRun& run, const models::MachineSpec& base, const std::string& key,
                                           const ordered_json& value, double factor, const StepSeconds& step_seconds) {
  Sensitivity::Point point;
  point.factor = factor;
  try {
    const std::optional<models::MachineSpec> machine = changed_machine(base, key, factor);
    if (!machine) return {};
    const ordered_json now = models::machine_to_json(*machine)[pointer_to(key)];
    point.value = now.dump();
    point.factor = mean_of(now) / mean_of(value);
    point.seconds = step_seconds(variant_of(run, key, *machine));
  } catch (const sim::Error& error) {
    if (error.category() == sim::ErrorCategory::invariant) throw;
    point.refusal = error.what();
  }
  return point;
}

// What a configuration leaves to be derived is changed as any other number.
models::MachineSpec with_derived(const PreparedRun& run) {
  models::MachineSpec machine = run.spec.machine;
  machine.io.edge_queue_words = run.edge_queue_words;
  return machine;
}

// Of assumptions that cannot be changed with everything else as it was; empty: of those that can.
std::string why_fixed(const std::string& key) {
  const bool of_mesh = key == "fabric.width" || key == "fabric.height" || starts_with(key, "host_io.");
  return of_mesh ? "the mapping and the link's channels follow the mesh: run with another one" : "";
}

}  // namespace

double Sensitivity::elasticity(double seconds) const {
  double low = 1, high = 1, low_seconds = seconds, high_seconds = seconds;
  for (const Point& point : points) {
    if (!point.seconds || point.factor <= 0) continue;
    if (point.factor < low) low = point.factor, low_seconds = *point.seconds;
    if (point.factor > high) high = point.factor, high_seconds = *point.seconds;
  }
  return low < high ? std::log(high_seconds / low_seconds) / std::log(high / low) : 0;
}

std::vector<std::string> sensitivity_keys(const workloads::RunSpec& spec) {
  std::vector<std::string> keys(known_keys.begin(), known_keys.end());
  if (spec.machine.io.bandwidth_override > 0)  // which leaves the whole wafer's without a part in the step
    std::replace(keys.begin(), keys.end(), std::string("io.wafer_bandwidth"), std::string("io.bandwidth"));
  const auto add = [&keys](const std::string& key) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
  };
  for (const models::MachineField& assumption : models::assumptions(spec.machine)) {
    const bool of_time = !starts_with(assumption.key, "energy.") && (spec.systems > 1 || !starts_with(assumption.key, "swarmx."));
    if (of_time && why_fixed(assumption.key).empty()) add(assumption.key);
  }
  if (spec.systems > 1)
    for (const char* key : {"swarmx.bandwidth", "swarmx.latency"}) add(key);
  return keys;
}

std::optional<models::MachineSpec> changed_machine(const models::MachineSpec& machine, const std::string& key, double factor) {
  ordered_json json = models::machine_to_json(machine);
  const auto pointer = pointer_to(key);
  if (!json.contains(pointer)) return {};
  const std::optional<ordered_json> value = scaled(json[pointer], factor);
  if (!value) return {};
  json[pointer] = *value;
  const sim::ConfigTree tree(nlohmann::json::parse(json.dump()), "sensitivity", {});
  sim::ConfigReader reader(tree);
  models::MachineSpec changed = machine;
  models::read_machine(reader, "", changed);
  reader.finish();
  return changed;
}

std::vector<Sensitivity> find_sensitivity(const PreparedRun& run, const StepSeconds& step_seconds,
                                          const std::function<void(const std::string& key)>& before_key) {
  const models::MachineSpec derived = with_derived(run);
  const ordered_json base = models::machine_to_json(derived);
  const std::vector<models::MachineField> assumed = models::assumptions(run.spec.machine);
  std::vector<Sensitivity> rows;
  for (const std::string& key : sensitivity_keys(run.spec)) {
    before_key(key);
    Sensitivity row;
    row.key = key;
    const ordered_json value = base.value(pointer_to(key), ordered_json());
    row.value = value.dump();
    row.assumed = std::any_of(assumed.begin(), assumed.end(), [&](const models::MachineField& field) { return field.key == key; });
    for (const double factor : factors)
      if (std::optional<Sensitivity::Point> point =
              point_at(run, key == derived_key ? derived : run.spec.machine, key, value, factor, step_seconds))
        row.points.push_back(std::move(*point));
    rows.push_back(std::move(row));
  }
  for (const models::MachineField& assumption : assumed)
    if (std::string why = why_fixed(assumption.key); !why.empty())
      rows.push_back({assumption.key, assumption.value, true, {}, std::move(why)});
  return rows;
}

ordered_json sensitivity_json(const std::vector<Sensitivity>& rows, double seconds) {
  ordered_json out = ordered_json::array();
  for (const Sensitivity& row : rows) {
    ordered_json points = ordered_json::array();
    for (const Sensitivity::Point& point : row.points) {
      ordered_json p = {{"value", point.value}, {"factor", point.factor}};
      if (point.seconds) {
        p["seconds"] = *point.seconds;
        p["change"] = *point.seconds / seconds - 1;
      } else {
        p["refused"] = point.refusal;
      }
      points.push_back(std::move(p));
    }
    out.push_back(
        {{"key", row.key}, {"value", row.value}, {"assumed", row.assumed}, {"elasticity", row.elasticity(seconds)}, {"points", points}});
    if (!row.fixed.empty()) out.back()["fixed"] = row.fixed;
  }
  return out;
}

std::string sensitivity_text(const ordered_json& rows) {
  std::vector<ordered_json> sorted(rows.begin(), rows.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const ordered_json& a, const ordered_json& b) {
    return std::abs(a["elasticity"].get<double>()) > std::abs(b["elasticity"].get<double>());
  });
  std::string text = fmt::format("{:<30} {:>22} {:>12}  {}\n", "sensitivity", "value", "elasticity", "step time where it is changed");
  for (const ordered_json& row : sorted) {
    std::string points;
    for (const ordered_json& point : row["points"]) {
      const std::string now = point["value"].get<std::string>();
      points += point.contains("change")
                    ? fmt::format("  {}: {:+.2f} %", now, 100 * point["change"].get<double>())
                    : fmt::format("  {}: refused", now.empty() ? fmt::format("x {}", point["factor"].get<double>()) : now);
    }
    text += fmt::format("{:<30} {:>22} {:>12.3f}{}\n", row["key"].get<std::string>() + (row["assumed"] == true ? " [A]" : ""),
                        row["value"].get<std::string>(), row["elasticity"].get<double>(),
                        row.contains("fixed") ? "  not changed: " + row["fixed"].get<std::string>()
                        : points.empty()      ? "  not changed (0, or without another value)"
                                              : points);
  }
  return text;
}

}  // namespace wafersim::tools
