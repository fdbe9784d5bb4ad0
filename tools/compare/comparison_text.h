#pragma once
// A comparison as a table and as JSON.

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "tools/compare/difference.h"
#include "tools/compare/source.h"

namespace wafersim::compare {

// Sections and how far they moved, then at most `rows` figures, those beyond their tolerance first.
std::string comparison_text(const Comparison& comparison, std::size_t rows);
// Of the two sides, {"provenance": {"a", "b"}, "equal", "figures", "beyond", "within", "differences": [{"point", "key", "a", "b", "change",
// "tolerance", "beyond"}]}: what a side does not have is null.
nlohmann::ordered_json comparison_json(const Comparison& comparison, const Source& a, const Source& b);

}  // namespace wafersim::compare
