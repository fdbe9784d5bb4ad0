#include "tools/wafersim/columns_by_rows.h"

#include <charconv>
#include <fmt/format.h>

#include "sim/error.h"
#include "sim/json_file.h"

namespace wafersim::tools {

ColumnsByRows parse_columns_by_rows(const std::string& option, const std::string& text, int most, const std::string& example) {
  ColumnsByRows size;
  const char* end = text.data() + text.size();
  const auto [after_columns, columns_error] = std::from_chars(text.data(), end, size.columns);
  bool good = columns_error == std::errc{} && after_columns != end && *after_columns == 'x';
  if (good) {
    const auto [after_rows, rows_error] = std::from_chars(after_columns + 1, end, size.rows);
    good = rows_error == std::errc{} && after_rows == end;
  }
  if (!good || size.columns < 1 || size.rows < 1 || size.columns > most || size.rows > most)
    throw sim::Error(sim::ErrorCategory::config, fmt::format("{} '{}': give columns x rows, 1 to {} each, as in {} {}", option,
                                                             sim::printable(text), most, option, example));
  return size;
}

}  // namespace wafersim::tools
