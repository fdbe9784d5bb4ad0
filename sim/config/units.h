#pragma once
// Quantities written as text: "1.1 GHz", "48 KiB", "150 GB/s", "1.2 Tb/s" (bits), "1 us". Spelling is exact (b is bits, B bytes); the space
// is optional. k, M, G, T, P are powers of 1000, Ki, Mi, Gi, Ti of 1024. A plain JSON number is in the base unit.

#include <string>
#include <string_view>

namespace wafersim::sim {

enum class Unit { none, hertz, bytes, bytes_per_second, seconds, per_second };

// Base unit as printed in messages; "" for none.
const char* symbol(Unit unit);
// Every spelling of `unit`, for messages: "Hz, kHz, MHz, GHz".
std::string spellings(Unit unit);

struct ParsedQuantity {
  bool valid = false;
  double value = 0.0;   // in the base unit, the double nearest to the decimal text
  std::string problem;  // when not valid: what is wrong and what is allowed
};
ParsedQuantity parse_quantity(std::string_view text, Unit unit);
// The shortest text that reads back as `value` with a number of at least 1, in bytes rather than bits: "48 KiB", "1.25 us"; the base unit
// where there is none. A plain number for Unit::none.
std::string readable_quantity(double value, Unit unit);

}  // namespace wafersim::sim
