#pragma once
// SHA-256 (FIPS 180-4) of bytes in memory, as tensors' digests in a report.

#include <cstddef>
#include <span>
#include <string>

namespace wafersim::sim {

// 64 lower-case hexadecimal digits. Throws Error (invariant) when the crypto library fails.
std::string sha256_hex(std::span<const std::byte> bytes);

}  // namespace wafersim::sim
