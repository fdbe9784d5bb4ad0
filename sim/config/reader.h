#pragma once
// Strict reading of a ConfigTree: every key is asked for by its full dotted name with its type, unit, range and default; finish() refuses
// what nobody asked for, naming the nearest known key, and then what is missing. A wrong type, unit or range is refused at once. All errors
// are of category config and name file, key, value and what is allowed.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sim/config/units.h"

namespace wafersim::sim {

class ConfigTree;

struct Range {
  double low;  // inclusive
  double high;
};

class ConfigReader {
 public:
  explicit ConfigReader(const ConfigTree& tree) : tree_(tree) {}

  // Without a default the key is required; until finish() refuses its absence, the lowest allowed value (or "") stands in.
  std::int64_t integer(const std::string& key, Range range, std::optional<std::int64_t> standard = {}, Unit unit = Unit::none);
  double number(const std::string& key, Range range, std::optional<double> standard = {}, Unit unit = Unit::none);
  bool boolean(const std::string& key, std::optional<bool> standard = {});
  std::string text(const std::string& key, const std::optional<std::string>& standard = {});
  // Absolute and normal; relative ones start from the directory of whoever gave the value. A missing key gives an empty path.
  std::filesystem::path path(const std::string& key);
  // Index of the value among `names`.
  std::size_t choice(const std::string& key, const std::vector<std::string>& names, std::optional<std::size_t> standard = {});
  // An array of exactly standard.size() integers.
  std::vector<int> integers(const std::string& key, Range range, const std::vector<int>& standard);
  // Allowed, with everything below it, and not looked at.
  void accept(const std::string& key);

  bool given(const std::string& key) const;                         // as a value or as an object
  bool given_on_command_line(const std::string& key) const;         // as a value
  const std::vector<std::string>& known() const { return known_; }  // keys that were asked for or accepted
  [[noreturn]] void fail(const std::string& key, const std::string& what) const;
  void finish() const;

 private:
  bool missing(const std::string& key, bool required);
  double quantity(const std::string& key, const char* what, Range range, Unit unit) const;
  std::string unknown(const std::string& key) const;

  const ConfigTree& tree_;
  std::vector<std::string> known_;
  std::vector<std::string> accepted_;
  std::string first_missing_;
};

}  // namespace wafersim::sim
