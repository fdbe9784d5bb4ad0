#pragma once
// Element types of tensors and of vector-instruction operands.

#include <cstdint>

namespace wafersim::sim {

enum class Dtype : std::uint8_t { f16, f32, u16, u32 };

constexpr int bytes_of(Dtype type) {
  switch (type) {
    case Dtype::f16:
    case Dtype::u16: return 2;
    case Dtype::f32:
    case Dtype::u32: return 4;
  }
  return 4;
}

}  // namespace wafersim::sim
