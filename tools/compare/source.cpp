#include "tools/compare/source.h"

#include <fmt/format.h>
#include <fstream>
#include <vector>

#include "sim/error.h"
#include "sim/json_file.h"
#include "tools/compare/figures.h"
#include "tools/compare/trace_figures.h"

namespace wafersim::compare {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

[[noreturn]] void refuse(const fs::path& path, const std::string& why) {
  throw sim::Error(sim::ErrorCategory::config, path.string() + ": " + why);
}

json read_object(const fs::path& path) {
  json object = sim::read_json_file(path);
  if (!object.is_object()) refuse(path, "is not a JSON object");
  return object;
}

Source read_run(const fs::path& directory) {
  Source source{directory, Kind::run, {}, nullptr};
  json trace;
  if (std::ifstream file(directory / "trace.json"); file) trace = trace_figures(file, (directory / "trace.json").string());
  const json report = read_object(directory / "report.json");
  source.trees[""] = run_tree(report, std::move(trace));
  source.provenance = report.value("provenance", json());
  if (fs::exists(directory / "config.json")) source.config = read_object(directory / "config.json");
  return source;
}

// "KEY=VALUE KEY=VALUE": a point by its axes, whatever its number is in the sweep.
std::string point_name(const json& axes) {
  std::string text;
  for (const auto& [axis, value] : axes.items()) text += fmt::format("{}{}={}", text.empty() ? "" : " ", axis, value.dump());
  return text;
}

Source read_sweep(const fs::path& directory) {
  Source source{directory, Kind::sweep, {}, nullptr};
  for (const fs::directory_entry& entry : fs::directory_iterator(directory / "points")) {
    if (entry.path().extension() != ".json") continue;
    json point = read_object(entry.path());
    if (!point.contains("point") || !point["point"].is_object()) refuse(entry.path(), "key point: must be an object of axes and values");
    // The report has all figures.
    json tree = point.contains("report") && point["report"].is_object() ? run_tree(point["report"], nullptr)
                                                                        : json{{"figures", point.value("figures", json::object())}};
    for (const char* key : {"status", "exit_code", "error"})
      if (point.contains(key) && !point[key].is_null()) tree[key] = point[key];
    const std::string name = point_name(point["point"]);
    if (!source.trees.emplace(name, std::move(tree)).second) refuse(entry.path(), "is a second result of the point " + name);
    source.provenance[name] = point.value("provenance", json());
  }
  if (source.trees.empty()) refuse(directory / "points", "holds no results of points yet");
  return source;
}

Source read_golden(const fs::path& path) {
  const json golden = read_object(path);
  if (!golden.contains("golden") || !golden.contains("figures"))
    refuse(path, "is no golden (keys golden and figures); a run or a sweep is given by its directory");
  if (golden["golden"] != 1) refuse(path, "key golden: of a format that this version does not know; re-make it");
  return {path, Kind::golden, {{"", golden["figures"]}}, nullptr, golden.value("provenance", json())};
}

}  // namespace

const char* name(Kind kind) { return kind == Kind::run ? "run" : kind == Kind::sweep ? "sweep" : "golden"; }

Source read_source(const fs::path& path) {
  try {
    if (fs::is_regular_file(path)) return read_golden(path);
    if (!fs::is_directory(path)) refuse(path, "is not there; compare takes runs' and sweeps' directories and goldens");
    if (fs::exists(path / "report.json")) return read_run(path);
    if (fs::is_directory(path / "points")) return read_sweep(path);
  } catch (const fs::filesystem_error& error) {
    refuse(path, "cannot be read: " + error.code().message());
  } catch (const json::exception& error) {
    refuse(path, std::string("is not as wafersim leaves it: ") + error.what());
  }
  refuse(path, "holds neither report.json nor points: not the directory of a run or a sweep that has ended");
}

json run_tree(const json& report, json trace) {
  json tree = name_rows(report);
  if (!trace.is_null()) tree["trace"] = std::move(trace);
  return tree;
}

}  // namespace wafersim::compare
