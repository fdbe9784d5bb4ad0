#pragma once
// Which tensor of a parameter table an element of the store belongs to.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "memoryx/parameter_table.h"
#include "sim/error.h"

namespace wafersim::memoryx {

class TensorIndex {
 public:
  explicit TensorIndex(const ParameterTable& table) : size_(table.size()) {
    for (const ParameterEntry& entry : table.entries()) offsets_.push_back(entry.offset);
  }
  int tensors() const { return static_cast<int>(offsets_.size()); }
  // Throws Error(invariant) beyond the last element.
  int of(std::size_t element) const {
    sim::require_invariant(element < size_, "a streamed element lies in the parameter store");
    return static_cast<int>(std::upper_bound(offsets_.begin(), offsets_.end(), element) - offsets_.begin()) - 1;
  }

 private:
  std::size_t size_;
  std::vector<std::size_t> offsets_;  // ascending
};

}  // namespace wafersim::memoryx
