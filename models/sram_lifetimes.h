#pragma once
// Addresses of arrays whose lifetimes are known beforehand.

#include <cstdint>
#include <vector>

namespace wafersim::models {

// An array takes the bytes of a stage from its beginning to the next one's, and keeps its address. Times are numbers of events.
struct ArrayLifetime {
  struct Stage {
    int from;
    int bytes;
  };
  int phase;                  // address modulo 8
  std::vector<Stage> stages;  // ascending; at least one
  int until;                  // not any more then
};

// Most bytes that live at a time. No placement takes less.
std::int64_t most_live_bytes(const std::vector<ArrayLifetime>& arrays);

// The address of each array: those that live longest are placed first, each as low as those placed before allow. Arrays that live while
// others come and go lie together at the bottom, as on a stack.
std::vector<int> place_by_lifetime(const std::vector<ArrayLifetime>& arrays);

}  // namespace wafersim::models
