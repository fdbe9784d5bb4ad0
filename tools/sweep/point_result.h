#pragma once
// The result of a point, points/ID.json:
//   {"point": {axis: value}, "status": "ok" or "failed", "exit_code", "error", "provenance": {"version", "config_digest", "seed", "host"},
//    "host": {"wall_seconds", "processor_seconds", "peak_rss_bytes"} of its process, "figures": {...}, "report": the run's whole
//    report.json, which is that of `wafersim run` but for its "trace_file"}

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tools/sweep/child_process.h"
#include "tools/sweep/sweep_point.h"

namespace wafersim::tools {

// Names of the figures, the columns of sweep.csv: numbers in seconds, joules, bytes, fractions; bound_by is text.
const std::vector<std::string>& figure_names();
// Those of a report; null where the run has none (losses without numerics; exposed times of wavelet runs).
nlohmann::ordered_json figures(const nlohmann::json& report);

nlohmann::ordered_json good_result(const SweepPoint& point, const ChildEnd& end, const nlohmann::json& report);
nlohmann::ordered_json failed_result(const SweepPoint& point, const ChildEnd& end, const std::string& error);
// Of a point whose configuration cannot be read, which no process has run.
nlohmann::ordered_json unreadable_result(const SweepPoint& point);

}  // namespace wafersim::tools
