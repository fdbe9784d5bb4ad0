#pragma once
// Lays out the parts of a kernel's work area one after the other, so that none can overlap. Fields of a kernel's `Work` name the parts.

#include <cstdint>

namespace wafersim::workloads {

class WorkArea {
 public:
  // Offset, in bytes, of a part of `bytes` bytes whose address is `phase` (0 or 4) modulo 8, in an area that begins at a multiple of 8.
  // Parts of different phase are read in the same cycle without a bank conflict. Offsets beyond 2 GiB have no meaning: bytes() says so.
  int part(std::int64_t bytes, int phase) {
    const std::int64_t at = (end_ - phase + 7) / 8 * 8 + phase;
    end_ = at + bytes;
    return static_cast<int>(at);
  }
  // Of all parts, rounded up to 8.
  std::int64_t bytes() const { return (end_ + 7) / 8 * 8; }

 private:
  std::int64_t end_ = 0;
};

}  // namespace wafersim::workloads
