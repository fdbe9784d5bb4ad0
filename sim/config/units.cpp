#include "sim/config/units.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <fmt/format.h>

namespace wafersim::sim {
namespace {

struct Spelling {
  const char* text;
  Unit unit;
  int power_of_ten;
  double factor;  // a power of two: exact
};

constexpr double eighth = 0.125;
constexpr double kibi = 1024.0;
constexpr Spelling known_spellings[] = {
    {"Hz", Unit::hertz, 0, 1},
    {"kHz", Unit::hertz, 3, 1},
    {"MHz", Unit::hertz, 6, 1},
    {"GHz", Unit::hertz, 9, 1},
    {"B", Unit::bytes, 0, 1},
    {"kB", Unit::bytes, 3, 1},
    {"MB", Unit::bytes, 6, 1},
    {"GB", Unit::bytes, 9, 1},
    {"TB", Unit::bytes, 12, 1},
    {"PB", Unit::bytes, 15, 1},
    {"KiB", Unit::bytes, 0, kibi},
    {"MiB", Unit::bytes, 0, kibi* kibi},
    {"GiB", Unit::bytes, 0, kibi* kibi* kibi},
    {"TiB", Unit::bytes, 0, kibi* kibi* kibi* kibi},
    {"B/s", Unit::bytes_per_second, 0, 1},
    {"kB/s", Unit::bytes_per_second, 3, 1},
    {"MB/s", Unit::bytes_per_second, 6, 1},
    {"GB/s", Unit::bytes_per_second, 9, 1},
    {"TB/s", Unit::bytes_per_second, 12, 1},
    {"PB/s", Unit::bytes_per_second, 15, 1},
    {"b/s", Unit::bytes_per_second, 0, eighth},
    {"kb/s", Unit::bytes_per_second, 3, eighth},
    {"Mb/s", Unit::bytes_per_second, 6, eighth},
    {"Gb/s", Unit::bytes_per_second, 9, eighth},
    {"Tb/s", Unit::bytes_per_second, 12, eighth},
    {"s", Unit::seconds, 0, 1},
    {"ms", Unit::seconds, -3, 1},
    {"us", Unit::seconds, -6, 1},
    {"ns", Unit::seconds, -9, 1},
    {"ps", Unit::seconds, -12, 1},
    {"/s", Unit::per_second, 0, 1},
    {"k/s", Unit::per_second, 3, 1},
    {"M/s", Unit::per_second, 6, 1},
    {"G/s", Unit::per_second, 9, 1},
    {"T/s", Unit::per_second, 12, 1},
};

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

ParsedQuantity problem(const std::string& text) { return {false, 0.0, text}; }

}  // namespace

const char* symbol(Unit unit) {
  switch (unit) {
    case Unit::none: return "";
    case Unit::hertz: return "Hz";
    case Unit::bytes: return "B";
    case Unit::bytes_per_second: return "B/s";
    case Unit::seconds: return "s";
    case Unit::per_second: return "/s";
  }
  return "";
}

std::string spellings(Unit unit) {
  std::string out;
  for (const Spelling& spelling : known_spellings) {
    if (spelling.unit == unit) out += (out.empty() ? "" : ", ") + std::string(spelling.text);
  }
  return out;
}

ParsedQuantity parse_quantity(std::string_view text, Unit unit) {
  text = trim(text);
  double plain = 0.0;
  const auto number = std::from_chars(text.data(), text.data() + text.size(), plain);
  if (number.ec != std::errc() || !std::isfinite(plain)) return problem("expected a number and one of the units " + spellings(unit));
  const std::string_view digits = text.substr(0, static_cast<std::size_t>(number.ptr - text.data()));
  const std::string_view suffix = trim(text.substr(digits.size()));
  for (const Spelling& spelling : known_spellings) {
    if (spelling.unit != unit || suffix != spelling.text) continue;
    // The decimal exponent is added in the text, so that "1.1 GHz" is exactly the double 1.1e9.
    const auto e = digits.find_first_of("eE");
    std::int64_t exponent = 0;  // beyond its range only zero has a finite value, to which no exponent matters
    if (e != std::string_view::npos) {
      std::string_view power = digits.substr(e + 1);
      if (power.front() == '+') power.remove_prefix(1);
      std::from_chars(power.data(), power.data() + power.size(), exponent);
    }
    const std::string scaled = std::string(digits.substr(0, e)) + "e" + std::to_string(exponent + spelling.power_of_ten);
    double value = 0.0;
    if (std::from_chars(scaled.data(), scaled.data() + scaled.size(), value).ec != std::errc()) return problem("number out of range");
    return {true, value * spelling.factor, ""};
  }
  if (suffix.empty()) return problem("text needs a unit, one of " + spellings(unit));
  return problem("wrong unit \"" + std::string(suffix.substr(0, 20)) + "\": allowed are " + spellings(unit));
}

std::string readable_quantity(double value, Unit unit) {
  const std::string base = fmt::format("{}{}{}", value, unit == Unit::none ? "" : " ", symbol(unit));
  std::string best;
  for (const Spelling& spelling : known_spellings) {
    if (spelling.unit != unit || spelling.factor < 1) continue;
    const double number = value / spelling.factor / std::pow(10.0, spelling.power_of_ten);
    const std::string text = fmt::format("{:.15g} {}", number, spelling.text);
    const bool same = std::abs(number) >= 1 && parse_quantity(text, unit).value == value;
    if (same && (best.empty() || text.size() < best.size())) best = text;
  }
  return best.empty() ? base : best;
}

}  // namespace wafersim::sim
