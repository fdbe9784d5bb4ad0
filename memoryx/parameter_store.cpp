#include "memoryx/parameter_store.h"

#include <algorithm>
#include <utility>

#include "sim/random.h"

namespace wafersim::memoryx {
namespace {

constexpr std::uint64_t weight_stream = 0;  // of the seed's random streams

}  // namespace

ParameterStore::ParameterStore(ParameterTable table)
    : table_(std::move(table)),
      weights_(table_.size()),
      gradients_(table_.size()),
      first_moments_(table_.size()),
      second_moments_(table_.size()) {}

void ParameterStore::initialise(std::uint64_t seed, double deviation) {
  for (const ParameterEntry& entry : table_.entries())
    for (std::size_t e = entry.offset; e < entry.offset + entry.size; ++e) switch (entry.initial) {
        case ParameterEntry::Initial::normal: weights_[e] = static_cast<float>(deviation) * sim::normal(seed, weight_stream, e); break;
        case ParameterEntry::Initial::one: weights_[e] = 1.0f; break;
        case ParameterEntry::Initial::zero: weights_[e] = 0.0f; break;
      }
}

void ParameterStore::clear_gradients() { std::fill(gradients_.begin(), gradients_.end(), 0.0f); }

}  // namespace wafersim::memoryx
