#pragma once
// What a step's time depends on: each number of the machine that matters or is assumed is changed, down and up by half, and the step
// simulated again with everything else as it was. The mapping stays, but where a PE's memory changes: then it is searched again.

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/trainer/prepared_run.h"

namespace wafersim::tools {

struct Sensitivity {
  struct Point {
    std::string value;              // as a configuration has it
    double factor = 1;              // to the number as it is
    std::optional<double> seconds;  // of a step; none: the run is refused
    std::string refusal;
  };
  std::string key;
  std::string value;
  bool assumed = false;  // [A]
  std::vector<Point> points;
  std::string fixed;  // why there are none, where the number cannot be changed alone

  // d log(seconds) / d log(value) between the outermost points that ran and are not 0; 0 when there is none but the run itself.
  double elasticity(double seconds) const;
};

// Seconds of a step of a variant of the run.
using StepSeconds = std::function<double(const PreparedRun& variant)>;

// Keys that sensitivity changes: those that bound steps, and every assumption that can have a part in a step's time.
std::vector<std::string> sensitivity_keys(const workloads::RunSpec& spec);
// The machine with one number times a factor, integers away from what they were; nothing where the number is 0 or stays the same.
// find_sensitivity() gives a number that is derived where it is 0 (io.edge_queue_words) as derived.
// Error(config) where the result is out of range.
std::optional<models::MachineSpec> changed_machine(const models::MachineSpec& machine, const std::string& key, double factor);

std::vector<Sensitivity> find_sensitivity(const PreparedRun& run, const StepSeconds& step_seconds,
                                          const std::function<void(const std::string& key)>& before_key);

nlohmann::ordered_json sensitivity_json(const std::vector<Sensitivity>& rows, double seconds);
// The largest effect first.
std::string sensitivity_text(const nlohmann::ordered_json& rows);

}  // namespace wafersim::tools
