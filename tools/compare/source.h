#pragma once
// One side of a comparison: the directory of a run, the directory of a sweep, or a golden.

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace wafersim::compare {

enum class Kind { run, sweep, golden };

const char* name(Kind kind);

struct Source {
  std::filesystem::path path;
  Kind kind = Kind::run;
  // By point of a sweep ("io.bandwidth=1e9 training.batch=4"); of a run or golden one, "".
  std::map<std::string, nlohmann::json> trees;
  nlohmann::json config;  // of a run: its config.json; otherwise null
  // What made it (tools/trainer/provenance.h); of a sweep an object of them by point. null where it does not say.
  nlohmann::json provenance = {};
};

// Error(config) naming the path when it is none of the three or cannot be read.
Source read_source(const std::filesystem::path& path);

// A run's report with its trace, rows named: what read_source() makes of a run's directory.
nlohmann::json run_tree(const nlohmann::json& report, nlohmann::json trace);

}  // namespace wafersim::compare
