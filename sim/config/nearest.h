#pragma once
// "Did you mean": the known word nearest to a misspelled one.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace wafersim::sim {

// Insertions, deletions, replacements and swaps of neighbours that turn a into b (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b);

// The element of `known` nearest to `wanted`, the first of equals; "" when none is near enough to be a misspelling of it.
// For dotted names the last part may also stand alone or under another parent: "lr" finds "training.optimizer.lr".
std::string nearest(std::string_view wanted, const std::vector<std::string>& known);

}  // namespace wafersim::sim
