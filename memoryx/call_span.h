#pragma once
// When the words of a kernel call crossed a channel of the link, or a node of SwarmX: one slice on its time axis.

#include <algorithm>
#include <cstdint>
#include <vector>

namespace wafersim::memoryx {

struct CallSpan {
  int call = 0;
  std::uint64_t first = 0;  // the first word begins to cross; out of a wafer: a latency later, as it arrives
  std::uint64_t last = 0;   // the last word has crossed; the same
  std::uint64_t words = 0;
};

// Adds a word that crosses from `begin` to `end`, which never decrease; times are rounded, so it may seem to begin before the one before
// it has ended. A word of an earlier call that comes late is counted there without stretching its span.
inline void count_word(std::vector<CallSpan>& spans, int call, std::uint64_t begin, std::uint64_t end) {
  if (spans.empty() || spans.back().call < call) {
    const std::uint64_t first = spans.empty() ? begin : std::max(begin, spans.back().last);
    spans.push_back({call, first, first, 0});
  }
  if (spans.back().call == call) spans.back().last = std::max(spans.back().last, end);
  for (auto span = spans.rbegin(); span != spans.rend(); ++span)
    if (span->call == call) {
      ++span->words;
      return;
    }
}

}  // namespace wafersim::memoryx
