#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>

#include "tools/trainer/report.h"

namespace wafersim::tools {
namespace {

using nlohmann::ordered_json;

double number(const ordered_json& value) { return value.is_number() ? value.get<double>() : std::nan(""); }

// Losses that the summary averages at either end of a run.
std::size_t end_steps(const ordered_json& losses) { return std::clamp<std::size_t>(losses.size() / 2, 1, 5); }

double mean_loss(const ordered_json& losses, bool first) {
  const std::size_t count = end_steps(losses);
  double sum = 0;
  for (std::size_t k = 0; k < count; ++k) sum += number(losses[first ? k : losses.size() - count + k]);
  return sum / static_cast<double>(count);
}

std::string grouped(double value) {
  std::string digits = fmt::format("{:.0f}", value);
  for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  return digits;
}

// Four digits or more: "0.01386", "19.25", "18,944".
std::string rate_text(double value) { return value < 1000 ? fmt::format("{:.4g}", value) : grouped(value); }

std::string seconds_text(double seconds) {
  if (seconds >= 1) return fmt::format("{:.6g} s", seconds);
  return seconds >= 1e-3 ? fmt::format("{:.6g} ms", 1e3 * seconds) : fmt::format("{:.6g} us", 1e6 * seconds);
}

std::string spaced(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

std::string label(const ordered_json& row) {
  const std::string phase = row["phase"], kernel = row["kernel"];
  return phase.empty() ? kernel : kernel + " " + phase;
}

// "linear forward 31.2 %, ...": the largest shares of a step's cycles, kernel switches always among them.
std::string kernel_shares(const ordered_json& report) {
  constexpr std::size_t shown = 5;
  std::map<std::string, double> cycles;
  for (const ordered_json& row : report["breakdown"]) cycles[label(row)] += number(row["cycles"]);
  std::vector<std::pair<std::string, double>> ranked(cycles.begin(), cycles.end());
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (std::size_t k = 0; k < ranked.size(); ++k) {
    if (k >= shown && ranked[k].first != "kernel_switch") continue;
    text +=
        fmt::format("{}{} {:.1f} %", text.empty() ? "" : ", ", ranked[k].first, 100 * ranked[k].second / number(report["step"]["cycles"]));
  }
  return text;
}

std::string stall_shares(const ordered_json& activity) {
  double stalled = 0;
  std::pair<std::string, double> largest;
  for (const auto& [cause, part] : activity.items()) {
    if (cause == "busy" || cause == "reduce" || cause == "idle") continue;
    stalled += number(part);
    if (number(part) >= largest.second) largest = {cause, number(part)};
  }
  return fmt::format("{:.1f} % stalled ({} {:.1f} %)", 100 * stalled, largest.first, 100 * largest.second);
}

std::string loss_text(const ordered_json& report) {
  if (report["loss"].empty()) return "not computed (numerics off)";
  const std::size_t ends = end_steps(report["loss"]);
  const double first = mean_loss(report["loss"], true), last = mean_loss(report["loss"], false);
  return fmt::format("{:.4f} (mean of the first {}) to {:.4f} (mean of the last {} of {} steps), {:+.1f} %; {} skipped", first, ends, last,
                     ends, report["steps"].dump(), 100 * (last / first - 1), report["skipped_steps"].dump());
}

std::string link_text(const ordered_json& links) {
  std::string text =
      fmt::format("in {:.1f} % busy ({} bytes a step), out {:.1f} % ({} bytes); fabric {:.1f} %", 100 * number(links["in"]["utilization"]),
                  grouped(number(links["in"]["bytes"])), 100 * number(links["out"]["utilization"]), grouped(number(links["out"]["bytes"])),
                  100 * number(links["fabric"]["mean_utilization"]));
  if (links["fabric"].contains("max_utilization"))
    text += fmt::format(", busiest link {:.1f} %", 100 * number(links["fabric"]["max_utilization"]));
  if (links.contains("store"))
    for (const char* tier : {"dram", "flash"})
      text += fmt::format(", {} {:.1f} %", tier, 100 * number(links["store"][tier]["utilization"]));
  return text;
}

// Why kernels waited, as shares of the step.
std::string waits_text(const ordered_json& report) {
  std::map<std::string, double> waits;
  for (const ordered_json& row : report["breakdown"])
    for (const auto& [cause, cycles] : row["waits"].items()) waits[cause] += number(cycles);
  std::string text;
  for (const auto& [cause, cycles] : waits)
    text += fmt::format("{}{} {:.2f} %", text.empty() ? "" : ", ", cause, 100 * cycles / number(report["step"]["cycles"]));
  return text;
}

}  // namespace

std::string recompute_text(const ordered_json& recompute) {
  if (recompute.is_array()) return fmt::format(", recompute of {} {}", recompute.size(), recompute.size() == 1 ? "layer" : "layers");
  return recompute == true ? ", recompute" : "";
}

// Cycles of a step that each resource needs.
std::string needs_text(const ordered_json& bound) {
  std::string text;
  for (const auto& [resource, forward] : bound["forward"].items())
    text += fmt::format("{} {}, ", spaced(resource), grouped(number(forward) + number(bound["backward"][resource])));
  return text + fmt::format("optimizer {} cycles", grouped(number(bound["optimizer"])));
}

std::string summary_text(const ordered_json& report) {
  const ordered_json &step = report["step"], &mesh = report["mesh"], &mapping = report["mapping"], &links = report["links"],
                     &throughput = report["throughput"], &memory = report["memory"], &activity = report["activity"];
  const double cycles = number(step["cycles"]);
  std::string text;
  const auto line = [&text](const char* name, const std::string& rest) { text += fmt::format("{:<12} {}\n", name, rest); };
  line("run", fmt::format("{} ({} parameters) on {}{}, {} x {} PEs, {}, {}: {} {}, {} tokens x {} features a PE{}{}",
                          report["model"].get<std::string>(), grouped(number(report["parameters"])),
                          report["systems"] == 1 ? "" : report["systems"].dump() + " x ", report["machine"].get<std::string>(),
                          mesh["width"].dump(), mesh["height"].dump(), report["dtype"].get<std::string>(),
                          report["fidelity"].get<std::string>(), mapping["lanes"].dump(), mapping["lanes"] == 1 ? "lane" : "lanes",
                          mapping["tokens_per_pe"].dump(), mapping["features_per_pe"].dump(),
                          mapping["micro_batches"] == 1 ? "" : ", " + mapping["micro_batches"].dump() + " micro-batches",
                          recompute_text(mapping["recompute"])));
  line("loss", loss_text(report));
  line("step", fmt::format("{} cycles, {}; {} samples/s, {} tokens/s", grouped(cycles), seconds_text(number(step["seconds"])),
                           rate_text(number(throughput["samples_per_second"])), rate_text(number(throughput["tokens_per_second"]))));
  line("bound", fmt::format("{} cycles by {}, {:.1f} % of the step", grouped(number(step["bound_cycles"])), spaced(step["bound_by"]),
                            100 * number(step["bound_cycles"]) / cycles));
  line("needs", needs_text(step["bound"]));
  line("utilisation", fmt::format("{:.2f} % of peak model flops; PEs {:.1f} % busy, {}, {:.1f} % idle",
                                  100 * number(throughput["model_flops_utilization"]), 100 * number(activity["busy"]),
                                  stall_shares(activity), 100 * number(activity["idle"])));
  line("kernels", kernel_shares(report));
  if (report["fidelity"] == "sampled") line("waits", waits_text(report));
  line("links", link_text(links));
  const ordered_json &energy = report["energy"], &whole = report["whole_training"];
  line("energy",
       fmt::format("{:.4g} J a step, {:.3g} mJ a token, {:.1f} kW of {:.0f} rated; {:.3g} tokens take {:.3g} days and {:.3g} MWh",
                   number(energy["joules_per_step"]), 1e3 * number(energy["joules_per_token"]), 1e-3 * number(energy["average_watts"]),
                   1e-3 * number(energy["rated_watts"]), number(whole["tokens"]), number(whole["days"]), number(whole["megawatt_hours"])));
  line("memory", fmt::format("SRAM peak {} of {} bytes a PE; MemoryX {} of {} bytes", grouped(number(memory["sram_peak_bytes_per_pe"])),
                             grouped(number(memory["sram_bytes_per_pe"])), grouped(number(memory["memoryx_bytes"])),
                             grouped(number(memory["memoryx_capacity_bytes"]))));
  return text;
}

std::string host_text(const ordered_json& report) {
  const ordered_json& host = report["host"];
  return fmt::format("{:<12} {:.1f} s, {:.1f} million PE-cycles/s with {} threads, {:.0f} MB\n", "host", number(host["wall_seconds"]),
                     1e-6 * number(host["pe_cycles_per_second"]), host["threads"].dump(), 1e-6 * number(host["peak_rss_bytes"]));
}

// Rows of the breakdown as they are shown: of layers in a row whose kernels are the same and take the same within a hundredth, one.
struct ShownRow {
  std::string kernel;
  int first_layer = -1, last_layer = -1;  // -1: of no layer
  std::string bound_by;
  double layer_cycles = 0;  // of the first layer
  double calls = 0, cycles = 0, bound = 0, busy = 0, reduce = 0, stalled = 0, idle = 0;
  double stream = 0;                    // cycles that the link needs for its words, in the direction that needs more
  std::map<std::string, double> waits;  // cycles by cause; of sampled runs

  bool is_alike(const ShownRow& o) const { return kernel == o.kernel && std::abs(layer_cycles - o.layer_cycles) <= 0.01 * layer_cycles; }
  void add(const ShownRow& o) {
    last_layer = o.last_layer;
    calls += o.calls, cycles += o.cycles, bound += o.bound;
    busy += o.busy, reduce += o.reduce, stalled += o.stalled, idle += o.idle;
    stream += o.stream;
    for (const auto& [cause, waited] : o.waits) waits[cause] += waited;
  }
  std::string layers() const {
    if (first_layer < 0) return "";
    return first_layer == last_layer ? std::to_string(first_layer) : fmt::format("{}..{}", first_layer, last_layer);
  }
  std::string waits_text() const {
    std::string text;
    for (const auto& [cause, waited] : waits)
      if (waited > 0.0005 * cycles) text += fmt::format("{}{} {:.1f} %", text.empty() ? "" : ", ", cause, 100 * waited / cycles);
    return text;
  }
};

ShownRow shown(const ordered_json& row) {
  ShownRow made;
  made.kernel = label(row);
  made.first_layer = made.last_layer = row["layer"].is_null() ? -1 : row["layer"].get<int>();
  made.bound_by = row["bound_by"].get<std::string>();
  made.calls = number(row["calls"]);
  made.cycles = made.layer_cycles = number(row["cycles"]);
  made.bound = number(row["bound_cycles"]);
  made.busy = number(row["busy"]);
  made.reduce = number(row["reduce"]);
  for (const ordered_json& value : row["stalls"]) made.stalled += number(value);
  made.idle = number(row["idle"]);
  made.stream = std::max(number(row["bound"]["weight_stream"]), number(row["bound"]["gradient_stream"]));
  if (row.contains("waits"))
    for (const auto& [cause, waited] : row["waits"].items()) made.waits[cause] = number(waited);
  return made;
}

std::vector<ShownRow> shown_rows(const ordered_json& breakdown) {
  std::vector<ShownRow> rows;
  std::size_t before = 0, size = 0;  // of the layer before: its first row and how many it has
  for (std::size_t first = 0, next = 0; first < breakdown.size(); first = next) {
    std::vector<ShownRow> layer;
    while (next < breakdown.size() && breakdown[next]["layer"] == breakdown[first]["layer"]) layer.push_back(shown(breakdown[next++]));
    const bool alike = layer.size() == size && layer[0].first_layer >= 0 &&
                       std::equal(layer.begin(), layer.end(), rows.begin() + static_cast<std::ptrdiff_t>(before),
                                  [](const ShownRow& one, const ShownRow& other) { return other.is_alike(one); });
    if (alike) {
      for (std::size_t k = 0; k < size; ++k) rows[before + k].add(layer[k]);
      continue;
    }
    before = rows.size();
    size = layer.size();
    rows.insert(rows.end(), layer.begin(), layer.end());
  }
  return rows;
}

std::string report_text(const ordered_json& report) {
  std::string text = summary_text(report);
  const ordered_json& made = report["provenance"];
  text += fmt::format("{:<12} wafersim {}, configuration {}, seed {}\n", "made by", made["version"].get<std::string>(),
                      made["config_digest"].get<std::string>().substr(0, 12), made["seed"].dump());
  const double cycles = number(report["step"]["cycles"]);
  text += fmt::format("\n{:<8} {:<30} {:>5} {:>14} {:>7} {:>14} {:<15} {:>8} {:>8} {:>8} {:>8} {:>9}  {}\n", "layers", "kernel", "calls",
                      "cycles", "share", "bound", "most by", "compute", "reduce", "stalled", "idle", "stream", "waits for");
  for (const ShownRow& row : shown_rows(report["breakdown"])) {
    const double whole = 0.01 * std::max(1.0, row.busy + row.stalled + row.idle);
    text += fmt::format("{:<8} {:<30} {:>5} {:>14} {:>5.1f} % {:>14} {:<15} {:>6.1f} % {:>6.1f} % {:>6.1f} % {:>6.1f} % {:>7.1f} %  {}\n",
                        row.layers(), row.kernel, row.calls, grouped(row.cycles), 100 * row.cycles / cycles, grouped(row.bound),
                        row.bound_by, (row.busy - row.reduce) / whole, row.reduce / whole, row.stalled / whole, row.idle / whole,
                        100 * row.stream / std::max(1.0, row.cycles), row.waits_text());
  }
  if (report.contains("trace_file") && report["trace_file"]["cut"])
    text += fmt::format("\ntrace.json is cut at {} bytes (--trace-limit): {} steps are missing, {} have parts missing\n",
                        grouped(number(report["trace_file"]["limit_bytes"])), report["trace_file"]["steps_left_out"].dump(),
                        report["trace_file"]["steps_in_part"].dump());
  if (report.contains("sensitivity")) text += "\n" + sensitivity_text(report["sensitivity"]);
  return text;
}

}  // namespace wafersim::tools
