#pragma once
// The largest batch and the longest sequence that a run's machine holds, as JSON, and that JSON as text.

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "workloads/run_spec.h"

namespace wafersim::tools {

// {"provenance", "machine", "model", "dtype", "parameters", "rectangle", "systems", "memoryx" {"bytes", "capacity"}, "batch", "sequence"}
// batch: null or {"samples" at once on all systems, "of_tokens", "lanes", "samples_per_lane", "tokens_per_pe", "features_per_pe"}
// sequence: null or {"tokens", "by": "positions" or "sram", "sram_tokens", "tokens_per_pe", "features_per_pe"}
nlohmann::ordered_json largest_to_json(const workloads::RunSpec& run);
std::string largest_to_text(const nlohmann::ordered_json& largest);

}  // namespace wafersim::tools
