#include "memoryx/parameter_table.h"

#include "sim/error.h"

namespace wafersim::memoryx {

int ParameterTable::add(const std::string& name, const std::vector<int>& shape, ParameterEntry::Initial initial) {
  const int index = static_cast<int>(entries_.size());
  sim::require_invariant(index_.emplace(name, index).second, "a parameter table names every tensor once");
  std::size_t size = 1;
  for (const int extent : shape) size *= static_cast<std::size_t>(extent);
  entries_.push_back({name, shape, size_, size, shape.size() >= 2, initial});
  size_ += size;
  return index;
}

int ParameterTable::find(const std::string& name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? -1 : found->second;
}

}  // namespace wafersim::memoryx
