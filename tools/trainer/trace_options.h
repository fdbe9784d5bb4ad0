#pragma once
// How much of a run its trace shows.

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace wafersim::tools {

struct TraceOptions {
  static constexpr std::uint64_t least_limit = 16'000;

  int first_step = 0, last_step = std::numeric_limits<int>::max();  // as steps.csv numbers them
  std::vector<std::pair<int, int>> layers;                          // first .. last; -1: what is of no layer. None: all
  std::uint64_t limit = 8'000'000;                                  // bytes of the file; 0: there is none

  bool shows_step(int step) const { return first_step <= step && step <= last_step; }
  bool shows_layer(int layer) const;
  friend bool operator==(const TraceOptions&, const TraceOptions&) = default;
};

// "3", "2:5", "2:" or ":5"; "0-3,7,none"; "8 MB". An empty text leaves the default. Error(config) names option, value and what is allowed.
TraceOptions parse_trace_options(const std::string& window, const std::string& layers, const std::string& limit);
// Error(config) when they name none of the run's steps, or a layer that the model does not have.
void check_trace_options(const TraceOptions& options, int steps, int layers);
// As the options are given; "" for what is not limited.
std::string window_text(const TraceOptions& options);
std::string layers_text(const TraceOptions& options);

}  // namespace wafersim::tools
