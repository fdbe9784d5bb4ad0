#pragma once
// Cycles of vector instructions (design, section 5): issue + ceil(n / rate), the rate by opcode, operand types and strides; reads of two
// operands in conflicting banks take a second cycle.

#include <algorithm>
#include <cstdint>

#include "models/core_spec.h"
#include "models/program.h"

namespace wafersim::models {

// What an instruction costs before its operands are known; computed once a program.
struct InstructionCost {
  std::int32_t elements = 1;  // `elements` take `cycles`
  std::int32_t cycles = 1;
  std::int32_t cached_n = 0;        // fma: rows with more accumulators than this run at half rate (0: no limit)
  bool every_row_issues = false;    // a row has its own scalar or its own accumulators: it is a step of a map
  bool triggered = false;           // by a scalar from the fabric
  std::uint8_t per_wavelet = 1;     // elements in a wavelet of a fabric operand that moves element by element
  bool streams = false;             // has such an operand
  std::int32_t wavelet_cycles = 1;  // of per_wavelet elements

  std::int64_t row_cycles(std::int64_t n) const {
    const std::int64_t half = cached_n != 0 && n > cached_n ? 2 : 1;
    return (n * cycles * half + elements - 1) / elements;
  }
  std::int64_t cycles_of_wavelet(std::int64_t n) const { return std::max<std::int64_t>(1, row_cycles(n)); }
};

InstructionCost cost_of(const Instruction& instruction, const CoreSpec& spec);

// Additional cycles of a row whose two sources start at byte addresses a and b and advance by the given bytes a cycle for `cycles` cycles:
// a cycle whose reads fall into banks with bank_a % 4 == bank_b % 4 is done twice. Successive 16-bit words lie in successive banks, of
// which there are 8 [C: SDK appendix]. What the rule would be for another number of banks no source says.
std::int64_t bank_conflict_cycles(std::int64_t a, std::int64_t a_step, std::int64_t b, std::int64_t b_step, std::int64_t cycles);

}  // namespace wafersim::models
