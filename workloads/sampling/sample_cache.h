#pragma once
// Measured samples on disk: a directory with a file KEY.json for each op,
//   {"key": KEY, "scale": 1, "digest": SHA-256 of the text of scale and samples, "samples": [[{"period": ..., "active": ..., "cycles":
//   {"busy": ..., ...}, "macs": ..., "hops": ...}, ...], ...]}
// by mesh and call. Files appear whole, so that runs may share the directory.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "workloads/sampling/measure_calls.h"

namespace wafersim::workloads {

struct CachedSamples {
  int scale = 1;
  std::vector<std::vector<CallMeasurement>> samples;
};

class SampleCache {
 public:
  // An empty path: nothing is kept.
  explicit SampleCache(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // None when there is no such file or it is not what store() writes for this key.
  std::optional<CachedSamples> load(const std::string& key) const;
  // Makes the directory. A cache that cannot be written costs time and nothing else: returns the reason, empty when there is none.
  std::string store(const std::string& key, const CachedSamples& samples) const;

 private:
  std::filesystem::path file(const std::string& key) const { return directory_ / (key + ".json"); }

  std::filesystem::path directory_;
};

}  // namespace wafersim::workloads
