#include "tools/trainer/trace_counters.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

namespace wafersim::tools {

std::vector<CallValue> sums_of(std::vector<CallRate> rates) {
  std::sort(rates.begin(), rates.end(), [](const CallRate& a, const CallRate& b) { return a.begin < b.begin; });
  std::map<std::uint64_t, int> cycles;  // with the call that tells
  for (const CallRate& rate : rates)
    for (const std::uint64_t cycle : {rate.begin, rate.end}) {
      const auto [place, is_new] = cycles.try_emplace(cycle, rate.call);
      place->second = std::max(place->second, rate.call);
    }
  std::vector<CallValue> sums;
  std::vector<const CallRate*> active;
  std::size_t next = 0;
  for (const auto& [cycle, call] : cycles) {
    std::erase_if(active, [at = cycle](const CallRate* rate) { return rate->end <= at; });
    for (; next < rates.size() && rates[next].begin == cycle; ++next) active.push_back(&rates[next]);
    const double sum =
        std::accumulate(active.begin(), active.end(), 0.0, [](double all, const CallRate* rate) { return all + rate->rate; });
    sums.push_back({call, cycle, sum});
  }
  return sums;
}

std::vector<CallValue> depths_of(std::vector<memoryx::StoreLog::Place> places) {
  using Place = memoryx::StoreLog::Place;
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
