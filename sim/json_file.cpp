#include "sim/json_file.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>
#include <vector>

#include "sim/error.h"

namespace wafersim::sim {
namespace {

using nlohmann::json;

// "[json.exception.parse_error.101] parse error at line 1..." without the part that means nothing to a user.
std::string_view reason(const json::exception& error) {
  std::string_view text = error.what();
  const auto bracket = text.find("] ");
  return bracket == std::string_view::npos ? text : text.substr(bracket + 2);
}

}  // namespace

json parse_json(std::string_view text, const std::string& source) {
  std::vector<std::set<std::string>> open_objects;
  const auto check = [&](int depth, json::parse_event_t event, json& parsed) {
    if (depth >= max_json_depth) {
      throw Error(ErrorCategory::config, source + ": JSON nested deeper than " + std::to_string(max_json_depth) + " levels");
    }
    if (event == json::parse_event_t::object_start) open_objects.emplace_back();
    if (event == json::parse_event_t::object_end) open_objects.pop_back();
    if (event == json::parse_event_t::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!open_objects.back().insert(key).second) {
        throw Error(ErrorCategory::config, source + ": key \"" + printable(key) + "\" is given twice in one object");
      }
    }
    return true;
  };
  try {
    return json::parse(text.begin(), text.end(), check);
  } catch (const json::exception& error) {
    throw Error(ErrorCategory::config, source + ": not valid JSON: " + printable(reason(error), 200));
  }
}

json read_json_file(const std::filesystem::path& path) {
  const std::string source = path.string();
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  if (!std::filesystem::exists(status)) throw Error(ErrorCategory::config, source + ": no such file");
  if (!std::filesystem::is_regular_file(status)) throw Error(ErrorCategory::config, source + ": not a regular file");
  const auto size = std::filesystem::file_size(path, code);
  if (code || size > max_json_file_bytes) {
    throw Error(ErrorCategory::config, source + ": larger than the " + std::to_string(max_json_file_bytes) + " bytes a JSON file may have");
  }
  std::string text(size, '\0');
  std::ifstream file(path, std::ios::binary);
  if (!file || !file.read(text.data(), static_cast<std::streamsize>(size))) {
    throw Error(ErrorCategory::config, source + ": cannot be read");
  }
  return parse_json(text, source);
}

std::string printable(std::string_view text, std::size_t limit) {
  std::size_t length = std::min(limit, text.size());
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
  while (length > 0 && length < text.size() && continues(text[length])) --length;
  std::string out(text.substr(0, length));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  if (text.size() > limit) out += "...";
  return out;
}

std::string printable_json(const json& value) { return printable(value.dump(-1, ' ', false, json::error_handler_t::replace), 80); }

}  // namespace wafersim::sim
