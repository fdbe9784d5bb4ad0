#include "tools/compare/figures.h"

#include <array>
#include <cctype>
#include <span>

#include "sim/sha256.h"

namespace wafersim::compare {
namespace {

using nlohmann::json;

// Where a row of an array belongs; empty: by its number.
std::vector<std::string> place_of(const json& row) {
  if (!row.is_object()) return {};
  if (row.contains("kernel") && row.contains("phase") && row.contains("layer")) {
    std::vector<std::string> place;
    if (row["layer"].is_number()) place.push_back("layer_" + row["layer"].dump());
    for (const char* part : {"phase", "kernel"})
      if (row[part].is_string() && !row[part].get_ref<const std::string&>().empty()) place.push_back(key_part(row[part]));
    return place;
  }
  for (const char* name : {"name", "key", "op"})
    if (row.contains(name) && row[name].is_string()) return {key_part(row[name])};
  return {};
}

json name_array(const json& array) {
  json named = json::object();
  for (const json& row : array) {
    const std::vector<std::string> place = place_of(row);
    if (place.empty()) return array;
    json* at = &named;
    for (std::size_t p = 0; p + 1 < place.size(); ++p) at = &(*at)[place[p]];
    std::string last = place.back();
    for (int k = 2; at->contains(last); ++k) last = place.back() + "_" + std::to_string(k);
    (*at)[last] = row;
  }
  return array.empty() ? array : named;
}

void add_figures(const std::string& key, const json& value, std::vector<Figure>& figures) {
  if (!value.is_structured()) {
    figures.push_back({key, value});
    return;
  }
  const std::string prefix = key.empty() ? "" : key + ".";
  std::size_t number = 0;
  for (const auto& item : value.items()) {
    add_figures(prefix + (value.is_array() ? std::to_string(number) : item.key()), item.value(), figures);
    ++number;
  }
}

}  // namespace

json name_rows(const json& value) {
  if (!value.is_structured()) return value;
  json named = value.is_array() ? name_array(value) : value;
  for (json& part : named) part = name_rows(part);
  return named;
}

std::vector<Figure> figures_of(const json& tree) {
  std::vector<Figure> figures;
  add_figures("", tree, figures);
  return figures;
}

std::string short_digest(const json& value) {
  const std::string text = value.dump();
  return sim::sha256_hex(std::as_bytes(std::span(text))).substr(0, 16);
}

std::string key_part(const std::string& name) {
  std::string part;
  for (const char c : name) {
    const bool kept = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_';
    if (kept || part.empty() || part.back() != '_') part += kept ? c : '_';
  }
  return part;
}

}  // namespace wafersim::compare
