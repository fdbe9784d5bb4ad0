#pragma once
// What the host can say of this process.

#include <cstdint>

namespace wafersim::tools {

std::uint64_t peak_rss_bytes();
std::uint64_t host_memory_bytes();  // installed

}  // namespace wafersim::tools
