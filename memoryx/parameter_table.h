#pragma once
// The tensors of a model and their places in one flat array of fp32 values: masters, gradients and moments share the offsets.
// The order of the entries is the stream order of sums over all parameters (gradient norm).

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

namespace wafersim::memoryx {

struct ParameterEntry {
  enum class Initial { normal, one, zero };
  std::string name;        // Hugging Face name without the model's prefix, e.g. "h.0.ln_1.weight"
  std::vector<int> shape;  // row-major
  std::size_t offset = 0;  // of the first element, in elements
  std::size_t size = 0;    // elements
  bool decayed = false;    // AdamW decays tensors of two or more dimensions only
  Initial initial = Initial::zero;
};

class ParameterTable {
 public:
  // Appends a tensor behind the last one; returns its index. Throws Error(invariant) when the name is taken.
  int add(const std::string& name, const std::vector<int>& shape, ParameterEntry::Initial initial);

  // Index of a tensor, -1 when there is none of that name.
  int find(const std::string& name) const;
  const ParameterEntry& operator[](int index) const { return entries_[static_cast<std::size_t>(index)]; }
  const std::vector<ParameterEntry>& entries() const { return entries_; }
  std::size_t size() const { return size_; }  // elements of all tensors

 private:
  std::vector<ParameterEntry> entries_;
  std::unordered_map<std::string, int> index_;
  std::size_t size_ = 0;
};

}  // namespace wafersim::memoryx
