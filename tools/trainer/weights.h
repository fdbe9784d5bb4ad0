#pragma once
// A parameter store from and to safetensors, and its tensors' digests.

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "memoryx/parameter_store.h"

namespace wafersim::tools {

// Replaces the store's weights by those of the file. Error(config) naming file and tensor when they are not those of the store's table.
void load_weights(const std::filesystem::path& path, memoryx::ParameterStore& store);
// Appears whole or not at all; Error(output).
void save_weights(const std::filesystem::path& path, const memoryx::ParameterStore& store);

// SHA-256 of every tensor's fp32 bytes, little-endian: "NAME" of the weights, "NAME.grad" of the gradients of the last step,
// "NAME.exp_avg" and "NAME.exp_avg_sq" of the optimizer's moments, in which the gradients of all steps are.
nlohmann::ordered_json digests(const memoryx::ParameterStore& store);

}  // namespace wafersim::tools
