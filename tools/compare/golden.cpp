#include "tools/compare/golden.h"

#include <map>
#include <nlohmann/json.hpp>

#include "sim/error.h"
#include "tools/compare/figures.h"

namespace wafersim::compare {
namespace {

using nlohmann::json;

// Small ones, kept as they are.
constexpr const char* whole[] = {"machine", "systems", "model", "parameters",    "fidelity",      "numerics", "dtype",
                                 "mapping", "steps",   "loss",  "gradient_norm", "skipped_steps", "step",     "macs"};
// The others, as one digest each.
constexpr const char* digested[] = {"mesh", "throughput", "activity", "energy", "memory", "links", "samples"};

std::string brief(const std::string& digest) { return digest.substr(0, 8); }

bool is_row(const json& part) { return part.is_object() && part.contains("cycles"); }

// A kernel's cycles and stalls, and a digest of the rest.
json compact_row(const json& row) {
  json kept = json::object(), rest = row;
  for (const char* key : {"calls", "cycles", "busy"})
    if (row.contains(key)) {
      kept[key] = row[key];
      rest.erase(key);
    }
  if (row.contains("stalls")) {
    for (const auto& [cause, cycles] : row["stalls"].items())
      if (cycles != 0) kept["stalls"][cause] = cycles;
    rest.erase("stalls");
  }
  kept["rest"] = brief(short_digest(rest));
  return kept;
}

json compact_rows(const json& part) {
  if (is_row(part)) return compact_row(part);
  json rows = json::object();
  for (const auto& [name, below] : part.items()) rows[name] = compact_rows(below);
  return rows;
}

// Of the wafer's kernels by kernel, all layers together; of every other track as one.
json compact_trace(const json& trace) {
  json digests = json::object();
  for (const auto& [track, parts] : trace.items()) {
    if (track != "wafer_kernels") {
      digests[track] = brief(short_digest(parts));
      continue;
    }
    std::map<std::string, json> kernels;
    for (const auto& [part, below] : parts.items()) {
      if (part.rfind("layer_", 0) == 0) {
        for (const auto& [kernel, slices] : below.items()) kernels[kernel].push_back(slices);
      } else {
        kernels[part].push_back(below);
      }
    }
    for (const auto& [kernel, slices] : kernels) digests[track][kernel] = brief(short_digest(slices));
  }
  return digests;
}

// Of a tensor that of its weights, then that of its gradients; the optimizer's moments as one.
json compact_digests(const json& tensors) {
  json kept = json::object(), moments;
  for (const auto& [tensor, digest] : tensors.items()) {
    const std::string gradient = tensor + ".grad";
    if (tensor.find(".exp_avg") != std::string::npos)
      moments[tensor] = digest;
    else if (tensors.contains(gradient))
      kept[tensor] = brief(digest) + " " + brief(tensors[gradient]);
  }
  kept["moments"] = brief(short_digest(moments));
  return kept;
}

void print(const json& value, const std::string& indent, std::string& text) {
  constexpr std::size_t line = 180;
  const std::string flat = value.dump();
  if (!value.is_object() || flat.size() <= line) {
    text += flat;
    return;
  }
  const char* separator = "{\n";
  for (const auto& [key, part] : value.items()) {
    text += separator + indent + json(key).dump() + ":";
    print(part, indent + " ", text);
    separator = ",\n";
  }
  text += "}";
}

}  // namespace

json golden_of(const json& run) try {
  json figures = json::object();
  for (const char* section : whole)
    if (run.contains(section)) figures[section] = run[section];
  for (const char* section : digested)
    if (run.contains(section)) figures["digest_of"][section] = brief(short_digest(run[section]));
  if (run.contains("breakdown")) figures["breakdown"] = compact_rows(run["breakdown"]);
  if (run.contains("trace")) figures["trace"] = compact_trace(run["trace"]);
  if (run.contains("digests")) figures["digests"] = compact_digests(run["digests"]);
  return figures;
} catch (const json::exception& error) {
  throw sim::Error(sim::ErrorCategory::config, std::string("the run's report is not as wafersim leaves it: ") + error.what());
}

std::string golden_text(const json& golden) {
  std::string text;
  print(golden, "", text);
  return text + "\n";
}

}  // namespace wafersim::compare
