#pragma once
// What a vector instruction computes, a row or an element at a time. Timing is elsewhere (cost.h); the arithmetic is sim/numerics.

#include <cstdint>

#include "models/program.h"

namespace wafersim::models {

// One row of one operand: an array in SRAM (stride in elements) or, with address null, one value for all elements.
struct RowOperand {
  std::uint8_t* address = nullptr;
  sim::Dtype type = sim::Dtype::f32;
  std::int32_t stride = 1;
  float value = 0;
};

// dst[k] = f(a[k], b[k], dst[k]) for k = 0..n-1 in ascending order; a destination of stride 0 is one accumulator for the row.
// from_zero: an fma's accumulators are +0 before. key: what select_equal compares with.
void execute_row(Opcode op, const RowOperand& dst, const RowOperand& a, const RowOperand& b, std::uint32_t n, bool from_zero,
                 std::uint32_t key);

// The same for one element outside memory (fabric operands).
float execute_element(Opcode op, float a, float b);

float load_element(const std::uint8_t* address, sim::Dtype type);
void store_element(std::uint8_t* address, sim::Dtype type, float value);

}  // namespace wafersim::models
