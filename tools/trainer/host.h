#pragma once
// What the host can say of this process.

#include <cstdint>

namespace wafersim::tools {

std::uint64_t peak_rss_bytes();

}  // namespace wafersim::tools
