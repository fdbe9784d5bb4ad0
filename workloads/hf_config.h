#pragma once
// Shape of a model as Hugging Face's config.json states it, keys and meaning as in transformers' configuration of the family (hf_keys.h).
// Other families, other activations and keys that would change the mathematics are refused by name; a key that the family does not know is
// refused with the nearest one that it does.

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "workloads/model_shape.h"

namespace wafersim::sim {
class ConfigTree;
}

namespace wafersim::workloads {

// A key that was read and has no effect here, such as dropout.
struct IgnoredKey {
  std::string key, value, why;  // value: JSON
};
std::string text(const IgnoredKey& ignored);  // a line for the user

struct HfConfig {
  ModelShape shape;
  double initializer_range = 0.02;  // standard deviation of initial weights
  std::vector<IgnoredKey> ignored;
};

// Keys of `tree` are the family's. Errors: config for wrong values and unknown keys, unsupported for other mathematics.
HfConfig parse_hf_config(const sim::ConfigTree& tree);
HfConfig read_hf_config(const std::filesystem::path& path);
// The keys that decide the shape, and those ignored; reading it gives the same HfConfig.
nlohmann::ordered_json hf_config_to_json(const HfConfig& config);

}  // namespace wafersim::workloads
