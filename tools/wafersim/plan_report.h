#pragma once
// A mapped run as JSON, and that JSON as tables.

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "workloads/mapping.h"
#include "workloads/run_spec.h"

namespace wafersim::tools {

// {"machine", "model", "dtype", "rectangle", "mapping" {.., "padding", "rejected" []}, "sram" {"regions" []}, "traffic", "calls" [],
// "kernel_switch_cycles", "closed_form_cycles", "bound"}
nlohmann::ordered_json plan_to_json(const workloads::RunSpec& run, const workloads::Mapping& mapping);
std::string plan_to_text(const nlohmann::ordered_json& plan);

}  // namespace wafersim::tools
