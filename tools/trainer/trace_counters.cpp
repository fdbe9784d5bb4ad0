#include "tools/trainer/trace_counters.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <utility>

namespace wafersim::tools {

std::vector<CallValue> sums_of(const std::vector<CallRate>& rates) {
  struct Change {
    int call = 0;  // that tells it
    std::int64_t rate = 0;
  };
  std::map<std::uint64_t, Change> changes;
  const auto change = [&](std::uint64_t cycle, int call, std::int64_t rate) {
    Change& all = changes[cycle];
    all.call = std::max(all.call, call);
    all.rate += rate;
  };
  for (const CallRate& rate : rates) {
    change(rate.begin, rate.call, rate.rate);
    change(rate.end, rate.call, -rate.rate);
  }
  std::vector<CallValue> sums;
  std::int64_t sum = 0;
  for (const auto& [cycle, all] : changes) {
    sum += all.rate;
    sums.push_back({all.call, cycle, static_cast<double>(sum)});
  }
  return sums;
}

std::vector<CallRate> at_most(std::int64_t most, const std::vector<CallRate>& rates) {
  const std::vector<CallValue> sums = sums_of(rates);
  std::vector<CallRate> goes_on;
  const auto add = [&](int call, std::uint64_t begin, std::uint64_t end, double rate) {
    if (begin < end && rate > 0) goes_on.push_back({call, begin, end, std::llround(rate)});
  };
  double late = 0;
  for (std::size_t k = 0; k < sums.size(); ++k) {
    const double room = static_cast<double>(most) - sums[k].value;
    const bool is_last = k + 1 == sums.size();
    std::uint64_t begin = sums[k].cycle;
    const std::uint64_t end = is_last ? begin : sums[k + 1].cycle;
    if (late > 0 && room > 0) {
      auto caught_up = static_cast<std::uint64_t>(std::ceil(late / room));
      if (!is_last) caught_up = std::min(caught_up, end - begin);
      const double more = std::min(room, late / static_cast<double>(caught_up));
      add(sums[k].call, begin, begin + caught_up, sums[k].value + more);
      late = std::max(0.0, late - more * static_cast<double>(caught_up));
      begin += caught_up;
    }
    if (is_last) break;
    add(sums[k].call, begin, end, std::min(sums[k].value, static_cast<double>(most)));
    late += std::max(0.0, -room) * static_cast<double>(end - begin);
  }
  return goes_on;
}

std::vector<CallValue> depths_of(const std::vector<memoryx::StoreLog::Place>& all, int calls) {
  using Place = memoryx::StoreLog::Place;
  std::uint64_t last_cycle = 0;
  for (const Place& place : all)
    if (place.call < calls) last_cycle = std::max(last_cycle, place.cycle);
  std::vector<Place> places;
  std::copy_if(all.begin(), all.end(), std::back_inserter(places), [&](const Place& place) { return place.cycle <= last_cycle; });
  std::stable_sort(places.begin(), places.end(), [](const Place& a, const Place& b) { return a.cycle < b.cycle; });
  std::map<std::pair<int, int>, std::size_t> last;  // by call and change
  for (std::size_t k = 0; k < places.size(); ++k) last[{places[k].call, places[k].change}] = k;
  std::vector<CallValue> depths;
  int depth = 0, teller = -1;
  for (std::size_t k = 0; k < places.size(); ++k) {
    const Place& place = places[k];
    depth += place.change;
    if (last.at({place.call, place.change}) == k) teller = std::max(teller, place.call);
    if (teller < 0 || (k + 1 < places.size() && places[k + 1].cycle == place.cycle)) continue;
    depths.push_back({teller, place.cycle, static_cast<double>(depth)});
    teller = -1;
  }
  return depths;
}

}  // namespace wafersim::tools
