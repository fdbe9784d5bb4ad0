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
  using Values = const std::vector<float>& (memoryx::ParameterStore::*)() const;
  const auto compare = [&](const char* what, Values values) {
    return first_difference(what, got.table(), (got.*values)(), (expected.*values)());
  };
  for (const auto& [what, values] :
       std::initializer_list<std::pair<const char*, Values>>{{"gradient", &memoryx::ParameterStore::gradients},
                                                             {"weight", &memoryx::ParameterStore::weights},
                                                             {"first moment", &memoryx::ParameterStore::first_moments},
                                                             {"second moment", &memoryx::ParameterStore::second_moments}}) {
    std::string difference = compare(what, values);
    if (!difference.empty()) return difference;
  }
  return {};
}

}  // namespace wafersim::tests
