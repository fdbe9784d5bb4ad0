#pragma once
// An axis of a sweep: a configuration's key and the values that it takes, one after the other.
//   [1, 2, 4]   ["10 GB/s", "20 GB/s"]                                   a list: each value as it would stand in a configuration
//   {"from": 1, "to": 9, "step": 2}                                      1, 3, 5, 7, 9
//   {"from": "10 GB/s", "to": "1 TB/s", "count": 5, "scale": "log"}      equal ratios; without scale, or "linear": equal differences
// Values of a range are in the base unit (sim/config/units.h). They are whole where the ends are whole numbers without a unit, or bytes;
// else those between the ends have six significant digits.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace wafersim::tools {

struct Axis {
  std::string key;
  std::vector<nlohmann::json> values;
};

// `label` opens messages: "sweep.json: axes.io.bandwidth". Error(config) for what is none of the above, an empty axis and a value twice.
Axis parse_axis(const std::string& key, const nlohmann::json& values, const std::string& label);

// Number or quantity as text, in the base unit; nothing for what is neither.
struct AxisNumber {
  bool valid = false;
  double value = 0;
  bool whole = false;  // by its kind: written without a fraction, or bytes
  std::string unit;    // symbol; "" for a plain number
};
AxisNumber axis_number(const nlohmann::json& value);

}  // namespace wafersim::tools
