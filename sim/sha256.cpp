#include "sim/sha256.h"

#include <array>
#include <openssl/evp.h>

#include "sim/error.h"

namespace wafersim::sim {

std::string sha256_hex(std::span<const std::byte> bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  const int good = EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
  require_invariant(good == 1 && size == 32, "libcrypto computes a SHA-256 digest");
  constexpr const char* digits = "0123456789abcdef";
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    hex += digits[digest[i] >> 4];
    hex += digits[digest[i] & 15];
  }
  return hex;
}

}  // namespace wafersim::sim
