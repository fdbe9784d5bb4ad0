#include "tools/sweep/sweep_point.h"

#include <fmt/format.h>
#include <optional>
#include <span>

#include "sim/error.h"
#include "sim/json_file.h"
#include "sim/sha256.h"
#include "tools/trainer/provenance.h"
#include "workloads/run_overrides.h"
#include "workloads/run_spec.h"

namespace wafersim::tools {
namespace {

constexpr std::size_t id_digits = 12;

std::string digest_of(const std::string& text) { return sim::sha256_hex(std::as_bytes(std::span(text))); }

void add_overrides(std::vector<sim::Override>& overrides, const PointValues& values, const std::string& label) {
  for (const auto& [key, value] : values)
    overrides.push_back({key, value.dump(), fmt::format("{}: {} = {}", label, sim::printable(key), sim::printable_json(value))});
}

}  // namespace

std::vector<SweepPoint> make_points(const SweepSpec& sweep) {
  std::vector<SweepPoint> points;
  std::optional<sim::Error> first;
  bool any = false;
  for (PointValues& values : sweep_points(sweep)) {
    SweepPoint point;
    point.id = digest_of(nlohmann::json(values).dump()).substr(0, id_digits);
    std::vector<sim::Override> overrides;
    add_overrides(overrides, sweep.fixed, sweep.label + ": set");
    add_overrides(overrides, values, sweep.label + ": axes");
    try {
      const workloads::RunSpec spec = workloads::parse_run_spec(workloads::apply_overrides(sweep.base, overrides, sweep.directory));
      const nlohmann::ordered_json config = workloads::run_spec_to_json(spec);
      point.config = config.dump(2) + "\n";
      point.digest = config_digest(config);
      point.seed = spec.seed;
      any = true;
    } catch (const sim::Error& error) {
      if (!first) first = error;
      point.exit_code = sim::exit_code(error.category());
      point.error = fmt::format("{} error: {}", sim::name(error.category()), error.what());
    }
    point.values = std::move(values);
    points.push_back(std::move(point));
  }
  if (!any) throw sim::Error(first->category(), first->what());
  return points;
}

std::string describe(const PointValues& values) {
  std::string text;
  for (const auto& [key, value] : values) text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", key, sim::printable_json(value));
  return text;
}

}  // namespace wafersim::tools
