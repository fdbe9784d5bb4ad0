#pragma once
// When the words of a kernel call crossed a channel of the link: one slice on the channel's time axis.

#include <cstdint>
#include <vector>

namespace wafersim::memoryx {

struct CallSpan {
  int call = 0;
  std::uint64_t first = 0;  // in: the first word starts; out: the first word arrives
  std::uint64_t last = 0;   // of the last word
  std::uint64_t words = 0;
};

// Adds a word at `cycle`, which never decreases. A word of an earlier call that comes late is counted there without stretching its span.
inline void count_word(std::vector<CallSpan>& spans, int call, std::uint64_t cycle) {
  if (spans.empty() || spans.back().call < call) spans.push_back({call, cycle, cycle, 0});
  if (spans.back().call == call) spans.back().last = cycle;
  for (auto span = spans.rbegin(); span != spans.rend(); ++span)
    if (span->call == call) {
      ++span->words;
      return;
    }
}

}  // namespace wafersim::memoryx
