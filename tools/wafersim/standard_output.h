#pragma once
// Standard output is data: all of it arrives or the program says so.

#include <string>

namespace wafersim::tools {

// Writes and flushes; Error(output) when that fails.
void print_standard_output(const std::string& text);

}  // namespace wafersim::tools
