#pragma once
// What the streams of a kernel call put on the I/O link.

#include <cstdint>

#include "memoryx/link_timing.h"
#include "memoryx/stream.h"
#include "models/step_schedule.h"

namespace wafersim::workloads {

struct CallTraffic {
  std::uint64_t words_in = 0;  // 32 bits each, padding included
  std::uint64_t words_out = 0;
  std::uint64_t padding_in = 0;  // words without any true value
  std::uint64_t padding_out = 0;
  double cycles_in = 0;  // of the busiest channel
  double cycles_out = 0;
};

CallTraffic traffic_of(const memoryx::CallStream& stream, const memoryx::LinkTiming& link);
// Padding is not told apart.
CallTraffic traffic_of(const models::LinkLoad& load, const memoryx::LinkTiming& link);

}  // namespace wafersim::workloads
