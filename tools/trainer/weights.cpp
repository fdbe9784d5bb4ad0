#include "tools/trainer/weights.h"

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>
#include <span>

#include "sim/sha256.h"
#include "workloads/safetensors.h"

namespace wafersim::tools {
namespace {

static_assert(std::endian::native == std::endian::little, "digests are of little-endian bytes");

std::span<const float> values_of(const memoryx::ParameterEntry& entry, const std::vector<float>& store) {
  return {store.data() + entry.offset, entry.size};
}

}  // namespace

void load_weights(const std::filesystem::path& path, memoryx::ParameterStore& store) {
  const auto tensors = workloads::select_tensors(workloads::read_safetensors(path), store.table(), path.string());
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const memoryx::ParameterEntry& entry = store.table().entries()[t];
    std::copy(tensors[t].values.begin(), tensors[t].values.end(), store.weights().begin() + static_cast<std::ptrdiff_t>(entry.offset));
  }
}

void save_weights(const std::filesystem::path& path, const memoryx::ParameterStore& store) {
  std::vector<workloads::NamedTensor> tensors;
  for (const memoryx::ParameterEntry& entry : store.table().entries()) {
    const std::span<const float> values = values_of(entry, store.weights());
    tensors.push_back({entry.name, {entry.shape.begin(), entry.shape.end()}, {values.begin(), values.end()}});
  }
  workloads::write_safetensors(path, tensors);
}

nlohmann::ordered_json digests(const memoryx::ParameterStore& store) {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  for (const auto& [values, suffix] : {std::pair{&store.weights(), ""}, std::pair{&store.gradients(), ".grad"},
                                       std::pair{&store.first_moments(), ".exp_avg"}, std::pair{&store.second_moments(), ".exp_avg_sq"}}) {
    for (const memoryx::ParameterEntry& entry : store.table().entries())
      out[entry.name + suffix] = sim::sha256_hex(std::as_bytes(values_of(entry, *values)));
  }
  return out;
}

}  // namespace wafersim::tools
