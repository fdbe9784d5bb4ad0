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

TEST(Units, WriteAQuantityInTheShortestTextThatReadsBack) {
  EXPECT_EQ(readable_quantity(850e6, Unit::hertz), "850 MHz");
  EXPECT_EQ(readable_quantity(1.1e9, Unit::hertz), "1.1 GHz");
  EXPECT_EQ(readable_quantity(49152, Unit::bytes), "48 KiB");
  EXPECT_EQ(readable_quantity(1.5e12, Unit::bytes), "1.5 TB");
  EXPECT_EQ(readable_quantity(256, Unit::bytes), "256 B");
  EXPECT_EQ(readable_quantity(12.5e9, Unit::bytes_per_second), "12.5 GB/s") << "not 100 Gb/s";
  EXPECT_EQ(readable_quantity(100e-9, Unit::seconds), "100 ns");
  EXPECT_EQ(readable_quantity(1.25e-6, Unit::seconds), "1.25 us");
  EXPECT_EQ(readable_quantity(2e11, Unit::per_second), "200 G/s");
  EXPECT_EQ(readable_quantity(0, Unit::seconds), "0 s");
  EXPECT_EQ(readable_quantity(0.5, Unit::bytes_per_second), "0.5 B/s");
  EXPECT_EQ(readable_quantity(2.5, Unit::none), "2.5");
  for (const double value : {1.0 / 3, 1e15 / 7, 123456789.0, 1e-13})
    for (const Unit unit : {Unit::hertz, Unit::bytes, Unit::bytes_per_second, Unit::seconds, Unit::per_second})
      EXPECT_EQ(parse_quantity(readable_quantity(value, unit), unit).value, value) << readable_quantity(value, unit);
}

}  // namespace
}  // namespace wafersim::sim
