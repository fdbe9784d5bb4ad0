#include "tools/trainer/trace_options.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <optional>
#include <string_view>

#include "sim/config/units.h"
#include "sim/error.h"

namespace wafersim::tools {
namespace {

constexpr const char* no_layer = "none";

[[noreturn]] void refuse(const char* option, const std::string& value, const std::string& allowed) {
  throw sim::Error(sim::ErrorCategory::config, fmt::format("{} {}: {}", option, value, allowed));
}

std::optional<int> whole_number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

// "A", "AxB", "Ax" or "xB" for a separator x; what is left out is that of `all`.
std::optional<std::pair<int, int>> range(std::string_view text, char separator, std::pair<int, int> all) {
  const std::size_t at = text.find(separator);
  const std::string_view from = text.substr(0, at), to = at == std::string_view::npos ? from : text.substr(at + 1);
  const std::optional<int> first = from.empty() ? all.first : whole_number(from), last = to.empty() ? all.second : whole_number(to);
  if (text.empty() || !first || !last || *first > *last) return std::nullopt;
  return std::pair(*first, *last);
}

void parse_window(const std::string& text, TraceOptions& options) {
  const auto steps = range(text, ':', {options.first_step, options.last_step});
  if (!steps) refuse("--trace-window", text, "must be the first and the last step to show, as steps.csv numbers them: 3, 2:5, 2: or :5");
  std::tie(options.first_step, options.last_step) = *steps;
}

void parse_layers(const std::string& text, TraceOptions& options) {
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string item = text.substr(at, end - at);
    std::optional<std::pair<int, int>> layers;
    if (item == no_layer || item == "-1")
      layers.emplace(-1, -1);
    else if (!item.empty() && item.front() != '-')
      layers = range(item, '-', {0, std::numeric_limits<int>::max()});
    if (!layers)
      refuse("--trace-layers", text,
             "must be layers and ranges of them, counted from 0, with commas between: 0-3,7; none stands for what is of no layer "
             "(embedding, loss)");
    options.layers.push_back(*layers);
    at = end + 1;
  }
}

void parse_limit(const std::string& text, TraceOptions& options) {
  sim::ParsedQuantity size = sim::parse_quantity(text, sim::Unit::bytes);
  if (const std::optional<int> bytes = whole_number(text)) size = {true, static_cast<double>(*bytes), ""};
  if (!size.valid) refuse("--trace-limit", text, size.problem);
  constexpr double most = 1e18;
  if (size.value < static_cast<double>(TraceOptions::least_limit) || size.value > most)
    refuse("--trace-limit", text, fmt::format("must be at least {} bytes", TraceOptions::least_limit));
  options.limit = static_cast<std::uint64_t>(size.value);
}

}  // namespace

bool TraceOptions::shows_layer(int layer) const {
  return layers.empty() ||
         std::any_of(layers.begin(), layers.end(), [&](const auto& range) { return range.first <= layer && layer <= range.second; });
}

TraceOptions parse_trace_options(const std::string& window, const std::string& layers, const std::string& limit) {
  TraceOptions options;
  if (!window.empty()) parse_window(window, options);
  if (!layers.empty()) parse_layers(layers, options);
  if (!limit.empty()) parse_limit(limit, options);
  return options;
}

void check_trace_options(const TraceOptions& options, int steps, int layers) {
  if (options.first_step >= steps) refuse("--trace-window", window_text(options), fmt::format("the run has steps 0 to {}", steps - 1));
  for (const auto& [first, last] : options.layers)
    if (first >= layers) refuse("--trace-layers", layers_text(options), fmt::format("the model has layers 0 to {}", layers - 1));
}

std::string window_text(const TraceOptions& options) {
  const TraceOptions all;
  if (options.first_step == all.first_step && options.last_step == all.last_step) return "";
  return fmt::format("{}:{}", options.first_step, options.last_step == all.last_step ? "" : std::to_string(options.last_step));
}

std::string layers_text(const TraceOptions& options) {
  std::string text;
  for (const auto& [first, last] : options.layers) {
    text += text.empty() ? "" : ",";
    text += first < 0 ? no_layer : first == last ? std::to_string(first) : fmt::format("{}-{}", first, last);
  }
  return text;
}

}  // namespace wafersim::tools
