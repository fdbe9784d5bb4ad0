#pragma once
// SHA-256 (FIPS 180-4) of bytes in memory, as tensors' digests in a report, or of bytes that come one after another.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

struct evp_md_ctx_st;  // OpenSSL's

namespace wafersim::sim {

// 64 lower-case hexadecimal digits. Throws Error (invariant) when the crypto library fails.
std::string sha256_hex(std::span<const std::byte> bytes);

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(std::string_view bytes);
  std::string hex() const;  // of all so far

 private:
  evp_md_ctx_st* context_;
};

}  // namespace wafersim::sim
