#pragma once
// What MemoryX keeps of a model: fp32 master weights, the gradients of the current step and the optimizer's two moments, each a flat
// array addressed by the offsets of one table. Values only; where they lie in memory tiers and how they stream is elsewhere.

#include <cstdint>
#include <vector>

#include "memoryx/parameter_table.h"

namespace wafersim::memoryx {

class ParameterStore {
 public:
  // All values zero.
  explicit ParameterStore(ParameterTable table);

  // Weights from a seed: matrices and embeddings N(0, deviation), gains 1, biases 0. Element e of the store depends on (seed, e) alone.
  void initialise(std::uint64_t seed, double deviation = 0.02);
  void clear_gradients();

  const ParameterTable& table() const { return table_; }
  std::size_t size() const { return table_.size(); }

  std::vector<float>& weights() { return weights_; }
  std::vector<float>& gradients() { return gradients_; }
  std::vector<float>& first_moments() { return first_moments_; }
  std::vector<float>& second_moments() { return second_moments_; }
  const std::vector<float>& weights() const { return weights_; }
  const std::vector<float>& gradients() const { return gradients_; }
  const std::vector<float>& first_moments() const { return first_moments_; }
  const std::vector<float>& second_moments() const { return second_moments_; }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(weights_, gradients_, first_moments_, second_moments_);
  }

 private:
  ParameterTable table_;
  std::vector<float> weights_;
  std::vector<float> gradients_;
  std::vector<float> first_moments_;
  std::vector<float> second_moments_;
};

}  // namespace wafersim::memoryx
