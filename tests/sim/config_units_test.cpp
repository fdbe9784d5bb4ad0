#include <gtest/gtest.h>

#include "sim/config/units.h"

namespace wafersim::sim {
namespace {

TEST(Units, ReadEverySpellingOfAQuantityExactly) {
  EXPECT_EQ(parse_quantity("1.1 GHz", Unit::hertz).value, 1.1e9);
  EXPECT_EQ(parse_quantity("850MHz", Unit::hertz).value, 850e6);
  EXPECT_EQ(parse_quantity("0.85e0 GHz", Unit::hertz).value, 0.85e9);
  EXPECT_EQ(parse_quantity(" 48 KiB ", Unit::bytes).value, 49152.0);
  EXPECT_EQ(parse_quantity("48 kB", Unit::bytes).value, 48000.0);
  EXPECT_EQ(parse_quantity("150 GB/s", Unit::bytes_per_second).value, 150e9);
  EXPECT_EQ(parse_quantity("1.2 Tb/s", Unit::bytes_per_second).value, 150e9);
  EXPECT_EQ(parse_quantity("1 us", Unit::seconds).value, 1e-6);
  EXPECT_EQ(parse_quantity("2.5E+2 ns", Unit::seconds).value, 250e-9);
  EXPECT_EQ(parse_quantity("200 G/s", Unit::per_second).value, 2e11);
  for (const char* zero : {"0e2147483647 GHz", "0e99999999999999999999 GHz"}) {
    EXPECT_TRUE(parse_quantity(zero, Unit::hertz).valid) << zero;
    EXPECT_EQ(parse_quantity(zero, Unit::hertz).value, 0.0) << zero;
  }
}

TEST(Units, RefuseAWrongOrMissingUnitAndNameTheAllowedOnes) {
  const ParsedQuantity wrong = parse_quantity("1 ms", Unit::hertz);
  EXPECT_FALSE(wrong.valid);
  EXPECT_EQ(wrong.problem, "wrong unit \"ms\": allowed are Hz, kHz, MHz, GHz");
  EXPECT_EQ(parse_quantity("850", Unit::hertz).problem, "text needs a unit, one of Hz, kHz, MHz, GHz");
  EXPECT_FALSE(parse_quantity("1 ghz", Unit::hertz).valid);
  EXPECT_FALSE(parse_quantity("1 Gb", Unit::bytes).valid);
}

TEST(Units, RefuseTextWithoutAFiniteNumber) {
  for (const char* text :
       {"", " ", "GHz", "one GHz", "inf GHz", "nan GHz", "1e999 GHz", "1e308 GHz", "1e99999999999 GHz", "-", "0x10 GHz", "1.1.1 GHz"}) {
    EXPECT_FALSE(parse_quantity(text, Unit::hertz).valid) << text;
  }
}

}  // namespace
}  // namespace wafersim::sim
