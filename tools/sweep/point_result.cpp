#include "tools/sweep/point_result.h"

#include <utility>

#include "tools/trainer/provenance.h"

namespace wafersim::tools {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// Column and place in the report.
const std::vector<std::pair<std::string, const char*>> direct_figures = {
    {"step_seconds", "/step/seconds"},
    {"step_cycles", "/step/cycles"},
    {"samples_per_second", "/throughput/samples_per_second"},
    {"tokens_per_second", "/throughput/tokens_per_second"},
    {"utilization", "/throughput/model_flops_utilization"},
    {"bound_by", "/step/bound_by"},
    {"bound_cycles", "/step/bound_cycles"},
    {"joules_per_step", "/energy/joules_per_step"},
    {"joules_per_token", "/energy/joules_per_token"},
    {"average_watts", "/energy/average_watts"},
    {"pes_busy", "/activity/busy"},
    {"link_in_utilization", "/links/in/utilization"},
    {"link_out_utilization", "/links/out/utilization"},
    {"lanes", "/mapping/lanes"},
    {"tokens_per_pe", "/mapping/tokens_per_pe"},
    {"features_per_pe", "/mapping/features_per_pe"},
    {"micro_batches", "/mapping/micro_batches"},
    {"parameters", "/parameters"},
    {"sram_peak_bytes_per_pe", "/memory/sram_peak_bytes_per_pe"},
    {"memoryx_bytes", "/memory/memoryx_bytes"},
};

// Column and cause of the time that kernels wait for, of sampled runs.
const std::vector<std::pair<std::string, std::string>> exposed_figures = {{"exposed_stream_seconds", "weight_link"},
                                                                          {"exposed_gradient_seconds", "gradient_link"},
                                                                          {"exposed_store_seconds", "store"},
                                                                          {"exposed_update_seconds", "update"}};

json exposed_cycles(const json& report, const std::string& cause) {
  double sum = 0;
  for (const json& row : report.at("breakdown")) {
    if (!row.contains("waits")) return nullptr;
    sum += row["waits"].value(cause, 0.0);
  }
  return sum;
}

ordered_json result(const SweepPoint& point, int exit_code, const std::string& error, const ordered_json& host) {
  return {{"point", point.values}, {"status", exit_code == 0 ? "ok" : "failed"},         {"exit_code", exit_code},
          {"error", error},        {"provenance", provenance(point.digest, point.seed)}, {"host", host}};
}

ordered_json host_json(const ChildEnd& end) {
  return {{"wall_seconds", end.wall_seconds}, {"processor_seconds", end.processor_seconds}, {"peak_rss_bytes", end.peak_rss_bytes}};
}

}  // namespace

const std::vector<std::string>& figure_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, place] : direct_figures) all.push_back(name);
    all.emplace_back("bound_seconds");
    for (const auto& [name, cause] : exposed_figures) all.push_back(name);
    all.emplace_back("final_loss");
    return all;
  }();
  return names;
}

ordered_json figures(const json& report) {
  ordered_json out;
  for (const auto& [name, place] : direct_figures) out[name] = report.at(json::json_pointer(place));
  const double clock = report.at("mesh").at("clock_hz");
  out["bound_seconds"] = report.at("step").at("bound_cycles").get<double>() / clock;
  for (const auto& [name, cause] : exposed_figures) {
    const json cycles = exposed_cycles(report, cause);
    out[name] = cycles.is_null() ? json() : json(cycles.get<double>() / clock);
  }
  out["final_loss"] = report.at("loss").empty() ? json() : report.at("loss").back();
  return out;
}

ordered_json good_result(const SweepPoint& point, const ChildEnd& end, const json& report) {
  ordered_json out = result(point, 0, "", host_json(end));
  out["figures"] = figures(report);
  out["report"] = report;
  return out;
}

ordered_json failed_result(const SweepPoint& point, const ChildEnd& end, const std::string& error) {
  return result(point, end.exit_code, error, host_json(end));
}

ordered_json unreadable_result(const SweepPoint& point) { return result(point, point.exit_code, point.error, ordered_json::object()); }

}  // namespace wafersim::tools
