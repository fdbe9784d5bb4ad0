#pragma once
// A golden: one run in a few kilobytes, as a JSON file {"golden": 1, "provenance": what made it,
// "figures": {...}}. What is long is kept as digests of 8 digits: of a
// tensor's weights and gradients, of a kernel's row all but its cycles and stalls, of the trace by the wafer's kernels and by track.

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace wafersim::compare {

// run: a report with named rows and, under "trace", its trace's figures. Sections that a golden does not keep are left out, so that a
// report may grow. Error(config) when it is no report.
nlohmann::json golden_of(const nlohmann::json& run);

// The text of the file, a row a line.
std::string golden_text(const nlohmann::json& golden);

}  // namespace wafersim::compare
