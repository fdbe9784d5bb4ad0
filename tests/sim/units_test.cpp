#include "sim/units.h"

#include <gtest/gtest.h>

namespace wafersim::sim {
namespace {

constexpr Hertz wse2(850'000'000);

TEST(Units, ACycleBeginsAtTheFloorOfItsExactTime) {
  EXPECT_EQ(time_of(Cycles(0), wse2).count(), 0u);
  EXPECT_EQ(time_of(Cycles(1), wse2).count(), 1'176'470u);  // 1176470.588...
  EXPECT_EQ(time_of(Cycles(2), wse2).count(), 2'352'941u);  // not twice the first
  EXPECT_EQ(time_of(Cycles(850'000'000), wse2).count(), 1'000'000'000'000'000u);
  EXPECT_EQ(time_of(Cycles(10), Hertz(1'000'000'000'000'000)).count(), 10u);
}

TEST(Units, TimeIsExactWhere64BitProductsOverflow) {
  // 15,000 s: 12.75e12 cycles, product with 10^15 needs 94 bits.
  EXPECT_EQ(time_of(Cycles(12'750'000'000'001u), wse2).count(), 15'000'000'000'001'176'470u);
}

TEST(Units, TheFirstCycleAtATimeIsTheInverseOfTheTimeOfACycle) {
  for (const Hertz clock : {wse2, Hertz(1'100'000'000), Hertz(1), Hertz(999'999'937)}) {
    for (std::uint64_t n : {0u, 1u, 2u, 3u, 16u, 17u, 1000u, 18000u}) {
      const Femtoseconds time = time_of(Cycles(n), clock);
      EXPECT_EQ(first_cycle_at(time, clock), Cycles(n));
      EXPECT_EQ(first_cycle_at(time + Femtoseconds(1), clock), Cycles(n + 1));
    }
  }
}

TEST(Units, ImpossibleTimesAreRefused) {
  EXPECT_THROW(time_of(Cycles(1), Hertz(0)), Error);
  EXPECT_THROW(time_of(Cycles(18'447), Hertz(1)), Error) << "beyond 2^64 fs";
  EXPECT_NO_THROW(time_of(Cycles(18'446), Hertz(1)));
  EXPECT_THROW(first_cycle_at(Femtoseconds(1), Hertz(0)), Error);
}

TEST(Units, QuantitiesOfOneKindAddCompareAndScale) {
  EXPECT_EQ(Cycles(3) + Cycles(4), Cycles(7));
  EXPECT_EQ(Bytes(9) - Bytes(4), Bytes(5));
  EXPECT_EQ(Bytes(48) * 1024, Bytes(49152));
  EXPECT_LT(Cycles(3), Cycles(4));
  EXPECT_DOUBLE_EQ(seconds(Cycles(850), wse2), 1e-6);
}

template <class A, class B>
concept Addable = requires(A a, B b) {
  a + b;
};

TEST(Units, DifferentQuantitiesDoNotMix) {
  static_assert(Addable<Cycles, Cycles>);
  static_assert(!Addable<Cycles, Bytes>);
  static_assert(!Addable<Cycles, int>);
  static_assert(!std::is_convertible_v<std::uint64_t, Cycles>);
}

}  // namespace
}  // namespace wafersim::sim
