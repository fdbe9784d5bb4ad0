#pragma once
// What an override means for a run's configuration.

#include <filesystem>
#include <vector>

#include "sim/config/tree.h"

namespace wafersim::workloads {

// `tree` with the overrides applied in order. fabric.*, host_io.*, core.*, sram.*, io.* and memoryx.* stand for machine_overrides.fabric.*
// and so on; data.text replaces data.tokens of the configuration and the reverse; model.preset and model.hf_config replace the
// configuration's whole model.
sim::ConfigTree apply_overrides(sim::ConfigTree tree, const std::vector<sim::Override>& overrides, const std::filesystem::path& directory);

}  // namespace wafersim::workloads
