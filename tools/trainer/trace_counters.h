#pragma once
// Values of a trace's counters over time, each told by a kernel call.

#include <cstdint>
#include <vector>

#include "memoryx/store_log.h"

namespace wafersim::tools {

struct CallValue {
  int call = 0;  // that tells it
  std::uint64_t cycle = 0;
  double value = 0;  // from `cycle` on
};

// What goes on at some rate for a call, from `begin` to `end`. A whole number, so that a sum is zero again after all have ended.
struct CallRate {
  int call = 0;
  std::uint64_t begin = 0, end = 0;
  std::int64_t rate = 0;
};
// The sum of all rates wherever one begins or ends, cycles ascending, each once.
std::vector<CallValue> sums_of(const std::vector<CallRate>& rates);
// One after another, as much in all, where no more than `most` goes on at once: what would be more goes on later. REQUIRES most > 0.
std::vector<CallRate> at_most(std::int64_t most, const std::vector<CallRate>& rates);

// The blocks in the read-ahead buffer where the last block of a call takes its place or leaves it; as long as one of the first `calls`
// calls has any.
std::vector<CallValue> depths_of(const std::vector<memoryx::StoreLog::Place>& places, int calls);

}  // namespace wafersim::tools
