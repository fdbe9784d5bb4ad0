#pragma once
// The commit that the program was built from (tools/write_commit.cmake writes it at every build).

namespace wafersim::tools {

extern const char* const commit;  // 12 digits, with ".changed" where files were others; "unknown" outside a checkout

}  // namespace wafersim::tools
