#include "models/sram_allocator.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

#include "sim/error.h"

namespace wafersim::models {

int SramAllocator::allocate(const std::string& name, std::int64_t bytes, int phase) {
  sim::require_invariant(bytes > 0, "an array in SRAM has bytes");  // else two would have one address, by which they are freed
  const auto aligned = [phase](int address) { return (address - phase + 7) / 8 * 8 + phase; };
  int begin = phase;
  auto place = live_.begin();
  if (addresses_.empty()) {
    for (; place != live_.end() && begin + bytes > place->begin; ++place) begin = std::max(begin, aligned(place->end));
  } else {
    begin = addresses_.at(all_.size());
    place = std::find_if(live_.begin(), live_.end(), [begin](const Region& r) { return r.begin > begin; });
    const bool is_free = (place == live_.begin() || place[-1].end <= begin) && (place == live_.end() || begin + bytes <= place->begin);
    sim::require_invariant(is_free, "arrays live as long as they did when their addresses were found");
  }
  if (begin + bytes > capacity_) {
    int used = 0;
    for (const Region& r : live_) used += r.end - r.begin;
    refused_for_gaps_ = used + bytes <= capacity_;
    throw sim::Error(sim::ErrorCategory::plan, fmt::format("SRAM overflow: {} needs {} bytes a PE where {} of {} are in use; use smaller "
                                                           "tiles (mapping.tokens_per_pe, mapping.features_per_pe) or a larger mesh",
                                                           name, bytes, used, capacity_));
  }
  const int placed = static_cast<int>(bytes), end = begin + placed;
  live_.insert(place, {name, begin, end, all_.size()});
  all_.push_back({name, begin, placed, false, {}, 0});
  lifetimes_.push_back({phase, {{time_++, placed}}, std::numeric_limits<int>::max()});
  if (end <= peak_) return begin;
  peak_ = end;
  at_peak_.clear();
  for (const Region& r : live_) at_peak_.push_back(r.number);
  return begin;
}

std::vector<SramAllocator::Region>::iterator SramAllocator::find(int address) {
  const auto found = std::find_if(live_.begin(), live_.end(), [&](const Region& r) { return r.begin == address; });
  sim::require_invariant(found != live_.end(), "only placed arrays are freed");
  return found;
}

void SramAllocator::free(int address) {
  const auto region = find(address);
  lifetimes_[region->number].until = time_++;
  live_.erase(region);
}

void SramAllocator::shrink(int address, std::int64_t bytes) {
  const auto region = find(address);
  sim::require_invariant(region->begin + bytes <= region->end, "an array shrinks");
  region->end = static_cast<int>(region->begin + bytes);
  lifetimes_[region->number].stages.push_back({time_++, static_cast<int>(bytes)});
}

SramMap SramAllocator::map() const {
  SramMap map{all_, peak_};
  for (const std::size_t number : at_peak_) map.regions[number].at_peak = true;
  for (std::size_t i = 0; i < all_.size(); ++i) {
    map.regions[i].stages = lifetimes_[i].stages;
    map.regions[i].until = std::min(lifetimes_[i].until, time_);
  }
  std::stable_sort(map.regions.begin(), map.regions.end(), [](const auto& a, const auto& b) { return a.address < b.address; });
  return map;
}

}  // namespace wafersim::models
