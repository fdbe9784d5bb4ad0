#pragma once
// Strict JSON from text and files: one object or value, UTF-8, no duplicate keys, at most max_json_depth levels, no number beyond a double.
// Whatever is wrong is an Error of category config, one line that opens with `source` (the file's name as the user gave it).

#include <cstddef>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace wafersim::sim {

inline constexpr int max_json_depth = 64;
inline constexpr std::size_t max_json_file_bytes = 16u << 20;

nlohmann::json parse_json(std::string_view text, const std::string& source);
// The file must be a regular one of at most max_json_file_bytes.
nlohmann::json read_json_file(const std::filesystem::path& path);

// `text` on one line: control characters become '?', and it ends in "..." where it is longer than `limit` bytes, between two characters.
std::string printable(std::string_view text, std::size_t limit = 80);
// A value as JSON on one line, for messages.
std::string printable_json(const nlohmann::json& value);

}  // namespace wafersim::sim
