#pragma once
// Element types of tensors and of vector-instruction operands.

#include <cstdint>

namespace wafersim::sim {

enum class Dtype : std::uint8_t { f16, bf16, f32, u32 };

constexpr int bytes_of(Dtype type) {
  switch (type) {
    case Dtype::f16:
    case Dtype::bf16: return 2;
    case Dtype::f32:
    case Dtype::u32: return 4;
  }
  return 4;
}

// A number in 16 bits: IEEE binary16, or the upper half of an fp32.
constexpr bool is_half(Dtype type) { return type == Dtype::f16 || type == Dtype::bf16; }

// As a run's configuration calls what tensors are stored in.
constexpr const char* storage_name(Dtype type) { return type == Dtype::f16 ? "fp16" : type == Dtype::bf16 ? "bf16" : "fp32"; }

}  // namespace wafersim::sim
