#include "sim/sha256.h"

#include <array>
#include <memory>
#include <openssl/evp.h>

#include "sim/error.h"

namespace wafersim::sim {
namespace {

using Digest = std::array<unsigned char, EVP_MAX_MD_SIZE>;

void require_good(bool good) { require_invariant(good, "libcrypto computes a SHA-256 digest"); }

std::string hex_of(const Digest& digest, unsigned int size) {
  constexpr const char* digits = "0123456789abcdef";
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    hex += digits[digest[i] >> 4];
    hex += digits[digest[i] & 15];
  }
  return hex;
}

}  // namespace

std::string sha256_hex(std::span<const std::byte> bytes) {
  Digest digest{};
  unsigned int size = 0;
  require_good(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1 && size == 32);
  return hex_of(digest, size);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  require_good(context_ != nullptr && EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) == 1);
}

Sha256::~Sha256() { EVP_MD_CTX_free(context_); }

void Sha256::add(std::string_view bytes) { require_good(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1); }

std::string Sha256::hex() const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> copy(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  Digest digest{};
  unsigned int size = 0;
  require_good(copy != nullptr && EVP_MD_CTX_copy_ex(copy.get(), context_) == 1 &&
               EVP_DigestFinal_ex(copy.get(), digest.data(), &size) == 1 && size == 32);
  return hex_of(digest, size);
}

}  // namespace wafersim::sim
