#include "tools/wafersim/plan_tables.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

namespace wafersim::tools {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t most_others = 10;

std::string heading(const ordered_json& sram) {
  return fmt::format("\nSRAM of a PE: {} of {} bytes at the peak", sram["peak_bytes"].dump(), sram["bytes"].dump());
}

// "h.3.ln_1" as "h.*.ln_1": the same in every layer.
std::string without_layers(const std::string& name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    std::size_t end = i;
    while (end < name.size() && std::isdigit(static_cast<unsigned char>(name[end])) != 0) ++end;
    const bool number = end > i && i > 0 && name[i - 1] == '.' && end < name.size() && name[end] == '.';
    out += number ? '*' : name[i];
    if (number) i = end - 1;
  }
  return out;
}

struct Arrays {
  std::string name;
  int bytes = 0, count = 0, first = 0, end = 0;

  void add(const ordered_json& region) {
    const int address = region["address"].get<int>(), last = address + region["bytes"].get<int>();
    first = count == 0 ? address : std::min(first, address);
    end = std::max(end, last);
    ++count;
  }
  int all_bytes() const { return bytes * count; }
  std::string line(int total) const { return fmt::format("{:>8}{:>7} x{:>4}{:>10} ..{:>6}  {}\n", total, bytes, count, first, end, name); }
};

// Alike arrays that are held at the peak, or those of which none is, the largest first.
std::vector<Arrays> groups(const ordered_json& regions, bool at_peak) {
  std::map<std::pair<std::string, int>, Arrays> all, peak;
  for (const ordered_json& region : regions) {
    Arrays alike{without_layers(region["name"].get<std::string>()), region["bytes"].get<int>()};
    const std::pair<std::string, int> key{alike.name, alike.bytes};
    all.try_emplace(key, alike).first->second.add(region);
    if (region["at_peak"].get<bool>()) peak.try_emplace(key, alike).first->second.add(region);
  }
  std::vector<Arrays> out;
  for (const auto& [key, arrays] : at_peak ? peak : all)
    if (at_peak || peak.count(key) == 0) out.push_back(arrays);
  std::stable_sort(out.begin(), out.end(),
                   [at_peak](const Arrays& a, const Arrays& b) { return at_peak ? a.all_bytes() > b.all_bytes() : a.bytes > b.bytes; });
  return out;
}

std::string layer_of(const ordered_json& call) { return call["layer"].get<int>() < 0 ? "-" : call["layer"].dump(); }

}  // namespace

std::string integer(const ordered_json& value) { return fmt::format("{:.0f}", value.get<double>()); }

std::string sram_map(const ordered_json& sram) {
  std::string text = heading(sram) + fmt::format("; arrays share places one after the other\n{:>8}{:>8}  name\n", "address", "bytes");
  for (const ordered_json& region : sram["regions"])
    text += fmt::format("{:>8}{:>8}  {}\n", region["address"].dump(), region["bytes"].dump(), region["name"].get<std::string>());
  return text;
}

std::string sram_groups(const ordered_json& sram) {
  std::string text = heading(sram) + fmt::format(", held then:\n{:>8}{:>7}  {:>4}{:>19}  name\n", "bytes", "each", "", "addresses");
  for (const Arrays& arrays : groups(sram["regions"], true)) text += arrays.line(arrays.all_bytes());
  const std::vector<Arrays> others = groups(sram["regions"], false);
  if (others.empty()) return text;
  const std::size_t shown = std::min(most_others, others.size());
  int count = 0;
  for (const Arrays& arrays : others) count += arrays.count;
  text += fmt::format("at other times, in places that they share, {} arrays more; the largest (--full: all):\n", count);
  for (std::size_t i = 0; i < shown; ++i)
    text += fmt::format("{:>8}{:>7} x{:>4}{:>10} ..{:>6}  {}\n", "", others[i].bytes, others[i].count, others[i].first, others[i].end,
                        others[i].name);
  return text;
}

std::string call_list(const ordered_json& calls) {
  std::string text = fmt::format("{:>5}{:>6}  {:<12}{:<16}{:>13}{:>10}{:>10}{:>12}{:>12}\n", "call", "layer", "kernel", "phase",
                                 "closed form", "words in", "words out", "link in", "link out");
  int number = 0;
  for (const ordered_json& call : calls)
    text +=
        fmt::format("{:>5}{:>6}  {:<12}{:<16}{:>13}{:>10}{:>10}{:>12}{:>12}\n", number++, layer_of(call), call["kernel"].get<std::string>(),
                    call["phase"].get<std::string>(), integer(call["closed_form_cycles"]), call["words_in"].dump(),
                    call["words_out"].dump(), integer(call["link_cycles_in"]), integer(call["link_cycles_out"]));
  return text;
}

std::string call_groups(const ordered_json& calls) {
  struct Sum {
    int calls = 0;
    double closed_form = 0, link_in = 0, link_out = 0;
    std::uint64_t in = 0, out = 0;
  };
  std::vector<std::pair<std::string, Sum>> sums;  // as they come first
  for (const ordered_json& call : calls) {
    const std::string key = fmt::format("{:<20}{:<16}", call["kernel"].get<std::string>(), call["phase"].get<std::string>());
    auto found = std::find_if(sums.begin(), sums.end(), [&](const auto& known) { return known.first == key; });
    if (found == sums.end()) found = sums.insert(sums.end(), {key, {}});
    Sum& sum = found->second;
    ++sum.calls;
    sum.closed_form += call["closed_form_cycles"].get<double>();
    sum.in += call["words_in"].get<std::uint64_t>();
    sum.out += call["words_out"].get<std::uint64_t>();
    sum.link_in += call["link_cycles_in"].get<double>();
    sum.link_out += call["link_cycles_out"].get<double>();
  }
  std::string text = fmt::format("{:>5}  {:<20}{:<16}{:>13}{:>15}{:>15}{:>13}{:>13}\n", "calls", "kernel", "phase", "closed form",
                                 "words in", "words out", "link in", "link out");
  for (const auto& [key, sum] : sums)
    text += fmt::format("{:>5}  {}{:>13.0f}{:>15}{:>15}{:>13.0f}{:>13.0f}\n", sum.calls, key, sum.closed_form, sum.in, sum.out, sum.link_in,
                        sum.link_out);
  return text;
}

std::string traffic_text(const ordered_json& plan) {
  const ordered_json& traffic = plan["traffic"];
  const auto padding = [&](const char* way) {
    const std::string key = std::string("padding_words_") + way;
    return traffic.contains(key)
               ? fmt::format(" ({} of {} words padding)", traffic[key].dump(), traffic[std::string("words_") + way].dump())
               : std::string();
  };
  return fmt::format(
      "{} calls a micro-batch, of {} cycles a step in all, each with a kernel switch of about {}; link cycles are those of "
      "the busiest channel\n"
      "\ntraffic of a step: {} bytes in{}, {} bytes out{}\n",
      plan["calls"].size(), integer(plan["closed_form_cycles"]), integer(plan["kernel_switch_cycles"]), traffic["bytes_in"].dump(),
      padding("in"), traffic["bytes_out"].dump(), padding("out"));
}

}  // namespace wafersim::tools
