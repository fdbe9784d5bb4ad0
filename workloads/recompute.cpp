#include "workloads/recompute.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace wafersim::workloads {

Recompute recompute_first(int count, int layers) {
  Recompute recompute(count > 0 ? static_cast<std::size_t>(layers) : 0);
  std::fill_n(recompute.begin(), count, true);
  return recompute;
}

int recomputed_layers(const Recompute& recompute) { return static_cast<int>(std::count(recompute.begin(), recompute.end(), true)); }

nlohmann::ordered_json recompute_to_json(const Recompute& recompute) {
  const int count = recomputed_layers(recompute);
  if (count == 0) return false;
  if (static_cast<std::size_t>(count) == recompute.size()) return true;
  nlohmann::ordered_json layers;
  for (std::size_t layer = 0; layer < recompute.size(); ++layer)
    if (recompute[layer]) layers.push_back(layer);
  return layers;
}

}  // namespace wafersim::workloads
