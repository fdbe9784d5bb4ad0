#pragma once
// Quantities that must not be mixed, and the one conversion between wafer cycles and simulated time (design, section 4).
// Cycle n of a clock of f Hz happens at floor(n * 10^15 / f) femtoseconds, computed from n, never accumulated.

#include <compare>
#include <cstdint>
#include <limits>

#include "sim/error.h"

namespace wafersim::sim {

// A count of one unit: adds, subtracts and compares with its own kind, scales by a plain number.
template <class Unit>
class Quantity {
 public:
  constexpr Quantity() = default;
  constexpr explicit Quantity(std::uint64_t count) : count_(count) {}
  constexpr std::uint64_t count() const { return count_; }

  constexpr bool operator==(const Quantity&) const = default;
  constexpr std::strong_ordering operator<=>(const Quantity& other) const { return count_ <=> other.count_; }
  constexpr Quantity& operator+=(Quantity other) {
    count_ += other.count_;
    return *this;
  }
  constexpr Quantity& operator-=(Quantity other) {
    count_ -= other.count_;
    return *this;
  }
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return a += b; }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return a -= b; }
  friend constexpr Quantity operator*(Quantity a, std::uint64_t factor) { return Quantity(a.count_ * factor); }

 private:
  std::uint64_t count_ = 0;
};

using Cycles = Quantity<struct CyclesUnit>;
using Bytes = Quantity<struct BytesUnit>;
using Hertz = Quantity<struct HertzUnit>;
using Femtoseconds = Quantity<struct FemtosecondsUnit>;

// When a cycle begins. Throws Error (invariant) for a clock of 0 Hz and beyond 2^64 fs (5.1 hours of simulated time).
inline Femtoseconds time_of(Cycles cycle, Hertz clock) {
  require_invariant(clock != Hertz(0), "a clock runs");
  const unsigned __int128 time =
      static_cast<unsigned __int128>(cycle.count()) * 1'000'000'000'000'000u / clock.count();  // NOLINT(*DivideZero)
  require_invariant(time <= std::numeric_limits<std::uint64_t>::max(), "simulated time stays below 2^64 fs");
  return Femtoseconds(static_cast<std::uint64_t>(time));
}

// The first cycle that begins at `time` or later: the least n with time_of(n) >= time. Errors as above.
inline Cycles first_cycle_at(Femtoseconds time, Hertz clock) {
  require_invariant(clock != Hertz(0), "a clock runs");
  constexpr std::uint64_t second = 1'000'000'000'000'000u;
  const unsigned __int128 scaled = static_cast<unsigned __int128>(time.count()) * clock.count();
  const unsigned __int128 cycle = scaled / second + (scaled % second != 0 ? 1 : 0);
  require_invariant(cycle <= std::numeric_limits<std::uint64_t>::max(), "cycles stay below 2^64");
  return Cycles(static_cast<std::uint64_t>(cycle));
}

// For reports.
constexpr double seconds(Cycles cycles, Hertz clock) { return static_cast<double>(cycles.count()) / static_cast<double>(clock.count()); }

}  // namespace wafersim::sim
