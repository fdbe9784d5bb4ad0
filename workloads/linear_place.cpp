#include "workloads/linear_place.h"

#include "sim/error.h"

namespace wafersim::workloads {

LinearPlace::LinearPlace(const memoryx::ParameterTable& table, const std::vector<int>& parameters, MatrixOrder order) {
  for (const int index : parameters) {
    const memoryx::ParameterEntry& entry = table[index];
    if (entry.shape.size() != 2) continue;
    const bool in_out = order == MatrixOrder::in_out;
    const int outputs = entry.shape[in_out ? 1 : 0], first = parts_.empty() ? 0 : parts_.back().end;
    const auto row = static_cast<std::size_t>(entry.shape[1]);
    parts_.push_back({first, first + outputs, entry.offset, 0, in_out ? row : 1, in_out ? 1 : row});
  }
  has_bias_ = parameters.size() > parts_.size();
  sim::require_invariant(!parts_.empty() && (!has_bias_ || parameters.size() == 2 * parts_.size()),
                         "a linear op has matrices, and a bias for each or none");
  for (std::size_t part = 0; has_bias_ && part < parts_.size(); ++part)
    parts_[part].biases = table[parameters[parts_.size() + part]].offset;
}

}  // namespace wafersim::workloads
