#pragma once
// Tables of a plan's JSON (plan_report.h): the SRAM map of a PE and the kernel calls of a step.

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace wafersim::tools {

// A value as a whole number.
std::string integer(const nlohmann::ordered_json& value);

// Each array; or a line for each that is held when SRAM is fullest, alike ones of the layers together, then the largest of the others.
std::string sram_map(const nlohmann::ordered_json& sram);
std::string sram_groups(const nlohmann::ordered_json& sram);

// Each call; or a line for each kernel and phase.
std::string call_list(const nlohmann::ordered_json& calls);
std::string call_groups(const nlohmann::ordered_json& calls);
std::string traffic_text(const nlohmann::ordered_json& plan);

}  // namespace wafersim::tools
