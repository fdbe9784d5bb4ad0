#include "models/machine_sources.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>

#include "models/machine_fields.h"

namespace wafersim::models {
namespace {

// Where a machine's source is not the one of the table, which speaks of a CS-2.
struct Exception {
  const char* machine;
  std::string_view keys;  // one, or all that begin so
  Source source;
};

constexpr Source cs1_mesh = assumed("a square of the 400,000 cores advertised: WSE-1's mesh is not public");
constexpr Source as_wse2 = assumed("as WSE-2's: that of this wafer is not public");
constexpr Source as_cs2 = assumed("as CS-2's: SwarmX was announced with it, that of this machine is not public");

// The first that fits counts.
constexpr Exception exceptions[] = {
    {"cs1", "fabric.width", cs1_mesh},
    {"cs1", "fabric.height", cs1_mesh},
    {"cs1", "fabric.", as_wse2},
    {"cs1", "host_io.", as_wse2},
    {"cs1", "core.", as_wse2},
    {"cs1", "sram.bytes", says("Rocki et al., SC20: 48 KB a core; vendor: 18 GB a wafer")},
    {"cs1", "io.channels_per_edge", assumed("one channel every 18 rows of WSE-1's edge, as on WSE-3")},
    {"cs1", "memoryx.", assumed("as CS-2's: no text gives a CS-1 a MemoryX")},
    {"cs1", "swarmx.", as_cs2},
    {"cs1", "energy.busy_cycle_pj", as_wse2},
    {"cs1", "energy.rated_power_w", says("vendor: 20 kW peak")},
    {"cs3", "fabric.hop_cycles", as_wse2},
    {"cs3", "fabric.ramp_cycles", as_wse2},
    {"cs3", "core.clock", as_wse2},
    {"cs3", "core.issue_cycles", as_wse2},
    {"cs3", "core.output_queue_words", says("SDK documentation, WSE-3")},
    {"cs3", "io.channel_row_pitch", says("SDK documentation: rows 0, 18, 36, ... of WSE-3")},
    {"cs3", "memoryx.capacity", says("vendor: 24, 36, 120 or 1200 TB for a CS-3")},
    {"cs3", "swarmx.", as_cs2},
    {"cs3", "energy.busy_cycle_pj", as_wse2},
    {"cs3", "energy.rated_power_w", says("vendor: about 23 kW")},
};

// What is assumed of a CS-2 and of this machine keeps the table's reason.
Source source_of(const std::string& machine, std::string_view key, const Source& standard) {
  const auto fits = [&](const Exception& e) { return machine == e.machine && key.starts_with(e.keys); };
  const Exception* exception = std::find_if(std::begin(exceptions), std::end(exceptions), fits);
  const bool holds = exception != std::end(exceptions) && !(standard.assumed && exception->source.assumed);
  return holds ? exception->source : standard;
}

template <class Number>
std::string readable(const Number& number, const FieldUnit& unit) {
  if (unit.parsed == sim::Unit::none) return fmt::format("{} {}", number, unit.word);
  return sim::readable_quantity(number, unit.parsed);
}

std::string readable(const std::array<int, 8>& numbers, const FieldUnit& unit) {
  return fmt::format("{} {}", fmt::join(numbers, " "), unit.word);
}

std::vector<MachineField> plain_fields(const MachineSpec& machine) {
  std::vector<MachineField> out;
  for_each_field(machine, [&](const std::string& key, const auto& number, const Field& about) {
    const nlohmann::ordered_json value = number;
    const Source source = source_of(machine.name, key, about.source);
    const bool absent = key == "io.bandwidth" && value == 0.0;
    out.push_back({key, absent ? "null" : value.dump(), absent ? "none" : readable(number, about.unit),
                   about.unit.parsed == sim::Unit::none ? about.unit.word : sim::symbol(about.unit.parsed), source.text, source.assumed});
  });
  return out;
}

}  // namespace

std::vector<MachineField> machine_fields(const MachineSpec& machine) {
  std::vector<MachineField> fields = plain_fields(machine);
  const std::vector<std::string>& presets = machine_names();
  const bool own = std::find(presets.begin(), presets.end(), machine.name) == presets.end();
  const std::vector<MachineField> preset = plain_fields(own ? MachineSpec{} : machine_preset(machine.name));
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].value == preset[i].value) continue;
    fields[i].text = "given by the configuration";
    fields[i].assumed = false;
  }
  return fields;
}

std::vector<MachineField> assumptions(const MachineSpec& machine) {
  std::vector<MachineField> fields = machine_fields(machine);
  fields.erase(std::remove_if(fields.begin(), fields.end(), [](const MachineField& field) { return !field.assumed; }), fields.end());
  return fields;
}

}  // namespace wafersim::models
