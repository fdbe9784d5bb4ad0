#include "tests/support/same_bits.h"

#include <bit>
#include <cstdint>
#include <fmt/format.h>
#include <vector>

namespace wafersim::tests {
namespace {

std::string first_difference(const char* what, const memoryx::ParameterTable& table, const std::vector<float>& got,
                             const std::vector<float>& expected) {
  for (const memoryx::ParameterEntry& entry : table.entries()) {
    std::size_t differing = 0, first = 0;
    for (std::size_t i = entry.offset + entry.size; i-- > entry.offset;) {
      if (std::bit_cast<std::uint32_t>(got[i]) == std::bit_cast<std::uint32_t>(expected[i])) continue;
      ++differing;
      first = i;
    }
    if (differing > 0)
      return fmt::format("{} of {}: element {} is {:.9g} instead of {:.9g}; {} of {} elements differ", what, entry.name,
                         first - entry.offset, got[first], expected[first], differing, entry.size);
  }
  return {};
}

}  // namespace

std::string first_difference(const memoryx::ParameterStore& got, const memoryx::ParameterStore& expected) {
  const memoryx::ParameterTable& table = got.table();
  std::string difference = first_difference("gradient", table, got.gradients(), expected.gradients());
  if (difference.empty()) difference = first_difference("weight", table, got.weights(), expected.weights());
  if (difference.empty()) difference = first_difference("first moment", table, got.first_moments(), expected.first_moments());
  if (difference.empty()) difference = first_difference("second moment", table, got.second_moments(), expected.second_moments());
  return difference;
}

}  // namespace wafersim::tests
