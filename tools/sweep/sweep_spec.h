#pragma once
// A sweep as a file describes it:
//   {"about": "...",
//    "base": "gptj-6b-cs2",                                   a preset, a configuration's path, or a configuration
//    "set": {"training.steps": 2},                            the same for all points, over the base
//    "axes": {"io.bandwidth": [...], "training.batch": ...},  keys as in --set; values: tools/sweep/axis.h
//    "zip": [["model.config.n_embd", "model.config.n_head"]], axes that go forward together; all others are multiplied
//    "conditions": [["training.batch", "<=", 66], ["fabric.width", "<", "fabric.height"]]}   points that stay: axis, op, value or axis
// Relative paths start from the file's folder, those of a preset from the working directory. Points come in the order of the axes' names,
// the last one the fastest.

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/config/tree.h"
#include "tools/sweep/axis.h"

namespace wafersim::tools {

using PointValues = std::map<std::string, nlohmann::json>;  // axis: value

struct Condition {
  std::string axis;
  std::string op;        // == != < <= > >=
  nlohmann::json right;  // a value, or the name of an axis
};

struct SweepSpec {
  std::string label;                // the file as given, for messages
  std::filesystem::path directory;  // of the file
  std::string about;
  sim::ConfigTree base;
  PointValues fixed;  // "set"
  std::vector<Axis> axes;
  std::vector<std::vector<std::size_t>> groups;  // indices of axes that go forward together; every axis is in one
  std::vector<Condition> conditions;
};

// `sweep` is a file, or else the name of a sweep preset. Error(config) naming file, key, value and what is allowed.
SweepSpec read_sweep(const std::string& sweep);

// All combinations that meet the conditions. Error(config) for none, and for more than a hundred thousand.
std::vector<PointValues> sweep_points(const SweepSpec& sweep);

}  // namespace wafersim::tools
