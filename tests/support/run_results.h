#pragma once
// What a run leaves in its directory.

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/files.h"

namespace wafersim::tests {

// Every output's bytes but for what may differ from host to host.
inline std::map<std::string, std::string> run_results(const std::filesystem::path& run) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(run)) files[entry.path().filename()] = contents(entry.path());
  nlohmann::json report = nlohmann::json::parse(files["report.json"]), config = nlohmann::json::parse(files["config.json"]);
  report.erase("host");
  config.erase("threads");
  files["report.json"] = report.dump();
  files["config.json"] = config.dump();
  return files;
}

}  // namespace wafersim::tests
