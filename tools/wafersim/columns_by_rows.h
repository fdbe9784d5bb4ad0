#pragma once
// "32x16" on the command line: 32 columns (west to east), 16 rows.

#include <string>

namespace wafersim::tools {

struct ColumnsByRows {
  int columns = 0, rows = 0;
};

// Error(config) naming the option unless both lie in 1 .. most; `example` ends the message.
ColumnsByRows parse_columns_by_rows(const std::string& option, const std::string& text, int most, const std::string& example);

}  // namespace wafersim::tools
