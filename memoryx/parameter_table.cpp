#include "memoryx/parameter_table.h"

#include "sim/error.h"

namespace wafersim::memoryx {

int ParameterTable::add(const std::string& name, const std::vector<int>& shape, ParameterEntry::Initial initial) {
  sim::require_invariant(find(name) < 0, "a parameter table names every tensor once");
  std::size_t size = 1;
  for (const int extent : shape) size *= static_cast<std::size_t>(extent);
  entries_.push_back({name, shape, size_, size, shape.size() >= 2, initial});
  size_ += size;
  return static_cast<int>(entries_.size()) - 1;
}

int ParameterTable::find(const std::string& name) const {
  for (std::size_t i = 0; i < entries_.size(); ++i)
    if (entries_[i].name == name) return static_cast<int>(i);
  return -1;
}

}  // namespace wafersim::memoryx
