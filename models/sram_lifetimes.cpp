#include "models/sram_lifetimes.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

namespace wafersim::models {
namespace {

int end_of(const ArrayLifetime& array, std::size_t stage) {
  return stage + 1 < array.stages.size() ? array.stages[stage + 1].from : array.until;
}

// Addresses between which `array` cannot begin because of `other` at `address`: none if first > last.
struct Forbidden {
  int first, last;
};

Forbidden forbidden(const ArrayLifetime& array, const ArrayLifetime& other, int address) {
  Forbidden between{1, 0};
  for (std::size_t i = 0; i < array.stages.size(); ++i)
    for (std::size_t k = 0; k < other.stages.size(); ++k) {
      if (array.stages[i].from >= end_of(other, k) || other.stages[k].from >= end_of(array, i)) continue;
      const Forbidden here{address - array.stages[i].bytes + 1, address + other.stages[k].bytes - 1};
      between = between.first > between.last ? here : Forbidden{std::min(between.first, here.first), std::max(between.last, here.last)};
    }
  return between;
}

}  // namespace

std::int64_t most_live_bytes(const std::vector<ArrayLifetime>& arrays) {
  std::map<int, std::int64_t> changes;  // by time
  for (const ArrayLifetime& array : arrays)
    for (std::size_t i = 0; i < array.stages.size(); ++i) {
      changes[array.stages[i].from] += array.stages[i].bytes;
      changes[end_of(array, i)] -= array.stages[i].bytes;
    }
  std::int64_t live = 0, most = 0;
  for (const auto& [time, change] : changes) most = std::max(most, live += change);
  return most;
}

std::vector<int> place_by_lifetime(const std::vector<ArrayLifetime>& arrays) {
  std::vector<std::size_t> order(arrays.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto duration = [&](std::size_t n) { return arrays[n].until - arrays[n].stages.front().from; };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return duration(a) > duration(b); });
  std::vector<int> addresses(arrays.size());
  std::vector<Forbidden> taken;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const ArrayLifetime& array = arrays[order[i]];
    taken.clear();
    for (std::size_t k = 0; k < i; ++k) {
      const ArrayLifetime& placed = arrays[order[k]];
      if (array.stages.front().from >= placed.until || placed.stages.front().from >= array.until) continue;
      if (const Forbidden f = forbidden(array, placed, addresses[order[k]]); f.first <= f.last) taken.push_back(f);
    }
    std::sort(taken.begin(), taken.end(), [](const Forbidden& a, const Forbidden& b) { return a.first < b.first; });
    int address = array.phase;
    for (const Forbidden& f : taken) {
      if (address < f.first) break;
      if (address <= f.last) address = (f.last + 1 - array.phase + 7) / 8 * 8 + array.phase;
    }
    addresses[order[i]] = address;
  }
  return addresses;
}

}  // namespace wafersim::models
