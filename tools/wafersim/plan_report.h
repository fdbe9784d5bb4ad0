#pragma once
// A mapped run as JSON, and that JSON as tables.

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "workloads/mapping.h"
#include "workloads/run_spec.h"

namespace wafersim::tools {

// {"provenance" (tools/trainer/provenance.h), "machine", "model", "dtype", "rectangle", "mapping" {.., "padding", "rejected" []}, "sram"
// {"regions" []}, "traffic", "calls" [], "kernel_switch_cycles", "closed_form_cycles", "bound"}
nlohmann::ordered_json plan_to_json(const workloads::RunSpec& run, const workloads::Mapping& mapping);
// full: every array of the SRAM map and every kernel call, else those alike in one line.
std::string plan_to_text(const nlohmann::ordered_json& plan, bool full);

}  // namespace wafersim::tools
