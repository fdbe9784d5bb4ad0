#pragma once
// What the host can say of this process.

#include <cstdint>
#include <string>
#include <vector>

namespace wafersim::tools {

std::uint64_t peak_rss_bytes();
std::uint64_t host_memory_bytes();  // installed
std::string host_name();
std::vector<std::string> command_line();  // of this process; empty where the host does not say

}  // namespace wafersim::tools
