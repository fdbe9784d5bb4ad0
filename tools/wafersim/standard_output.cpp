#include "tools/wafersim/standard_output.h"

#include <cstdio>

#include "sim/error.h"

namespace wafersim::tools {

void print_standard_output(const std::string& text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (!written) throw sim::Error(sim::ErrorCategory::output, "standard output cannot be written: is its disk full or its reader gone?");
}

}  // namespace wafersim::tools
