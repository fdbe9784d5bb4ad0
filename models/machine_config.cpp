#include "models/machine_config.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "models/machine_fields.h"

namespace wafersim::models {
namespace {

struct Reading {
  sim::ConfigReader& reader;
  const std::string& prefix;

  void operator()(const char* key, int& field, const Field& about) const {
    field = static_cast<int>(reader.integer(prefix + key, about.range, field, about.unit.parsed));
  }
  void operator()(const char* key, double& field, const Field& about) const {
    field = reader.number(prefix + key, about.range, field, about.unit.parsed);
  }
  void operator()(const char* key, std::array<int, 8>& field, const Field& about) const {
    const auto values = reader.integers(prefix + key, about.range, std::vector<int>(field.begin(), field.end()));
    std::copy(values.begin(), values.end(), field.begin());
  }
};

}  // namespace

void read_machine(sim::ConfigReader& reader, const std::string& prefix, MachineSpec& machine) {
  for_each_field(machine, Reading{reader, prefix});
}

nlohmann::ordered_json machine_to_json(const MachineSpec& machine) {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  const auto write = [&out](std::string key, const auto& field, const Field&) {
    const nlohmann::ordered_json value = field;
    if (key == "io.bandwidth" && value == 0.0) return;  // no override: absent, since a bandwidth of 0 is refused
    nlohmann::ordered_json* at = &out;
    for (auto dot = key.find('.'); dot != std::string::npos; dot = key.find('.')) {
      at = &(*at)[key.substr(0, dot)];
      key.erase(0, dot + 1);
    }
    (*at)[key] = value;
  };
  for_each_field(machine, write);
  return out;
}

std::vector<std::string> machine_keys() {
  std::vector<std::string> out;
  const MachineSpec machine;
  for_each_field(machine, [&out](const char* key, const auto&, const Field&) { out.emplace_back(key); });
  return out;
}

}  // namespace wafersim::models
