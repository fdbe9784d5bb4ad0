#pragma once
// What a comparison looks at: every number and text of a result, by the path of its key, as in
//   step.cycles   loss.3   breakdown.layer_0.forward.linear.stalls.output_wait   digests.wte.weight
//   trace.wafer_kernels.layer_0.linear_forward.slices

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace wafersim::compare {

struct Figure {
  std::string key;
  nlohmann::json value;  // no object, no array
};

// Arrays of rows that have names (`name`, `key` or `op`; a breakdown's layer, phase and kernel) become objects by these names; of rows of
// one name the second is NAME_2.
nlohmann::json name_rows(const nlohmann::json& value);

// All leaves of a tree in its order; elements of arrays are numbered from 0.
std::vector<Figure> figures_of(const nlohmann::json& tree);

// The first 16 digits of the SHA-256 of a value's text.
std::string short_digest(const nlohmann::json& value);

// A name as a part of a key: what is neither letter, digit nor '.' becomes one '_'.
std::string key_part(const std::string& name);

}  // namespace wafersim::compare
