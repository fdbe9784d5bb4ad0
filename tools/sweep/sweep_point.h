#pragma once
// A point of a sweep, made ready: its own complete configuration, which runs anywhere, and who it is.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tools/sweep/sweep_spec.h"

namespace wafersim::tools {

struct SweepPoint {
  std::string id;  // of its values alone: 12 hexadecimal digits of their SHA-256
  PointValues values;
  std::string config;  // text of the effective config.json; "" where the values make none
  std::string digest;  // SHA-256 of that text
  std::uint64_t seed = 0;
  int exit_code = 0;  // of a configuration that cannot be read, and why
  std::string error;

  bool readable() const { return !config.empty(); }
};

// In the order of sweep_points(). A point that is no configuration carries its error; where none is one, the first error is thrown.
std::vector<SweepPoint> make_points(const SweepSpec& sweep);

// "training.batch = 66, io.bandwidth = 1e9"
std::string describe(const PointValues& values);

}  // namespace wafersim::tools
