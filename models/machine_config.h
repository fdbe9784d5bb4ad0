#pragma once
// The dotted keys of a machine: fabric.width, core.clock, io.bandwidth, ... One table (machine_fields.h) serves reading, writing and the
// list of sources (machine_sources.h). io.bandwidth is the sum over the channels present (IoSpec::bandwidth_override); io.wafer_bandwidth
// that of a whole wafer.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "models/machine.h"

namespace wafersim::sim {
class ConfigReader;
}

namespace wafersim::models {

// Replaces in `machine` what the configuration gives below `prefix` ("machine_overrides."). Errors: category config.
void read_machine(sim::ConfigReader& reader, const std::string& prefix, MachineSpec& machine);
// Every field as {"fabric": {"width": 757, ...}, ...}: reading it over any preset gives the same machine but for its name.
nlohmann::ordered_json machine_to_json(const MachineSpec& machine);
// Every dotted key.
std::vector<std::string> machine_keys();

}  // namespace wafersim::models
