#include "models/step_counters.h"

#include "sim/error.h"

namespace wafersim::models {
namespace {

// Element by element; `before` is empty at first.
template <class T>
std::vector<T> minus(const std::vector<T>& now, const std::vector<T>& before) {
  std::vector<T> difference = now;
  for (std::size_t k = 0; k < before.size(); ++k) difference[k] -= before[k];
  return difference;
}

}  // namespace

StepStatistics StepCounters::take(fabric::Cycle end, const std::vector<Block>& blocks, const memoryx::InLink& in,
                                  const memoryx::OutLink& out, int channels) {
  StepStatistics total;
  std::vector<CallRecord> calls;
  total.activity.resize(pes_ * activities);
  total.flits.resize(pes_ * fabric::directions);
  for (const Block& block : blocks) {
    block.core->account_all(end);
    total.hops += block.fabric->hops();
    for (std::uint32_t pe = 0; pe < static_cast<std::uint32_t>(block.fabric->size()); ++pe) {
      const fabric::Coord c = block.fabric->coord(pe);
      const std::size_t global = static_cast<std::size_t>(c.y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(c.x);
      std::uint64_t sum = 0;
      for (std::size_t a = 0; a < activities; ++a)
        sum += total.activity[global * activities + a] = block.core->activity(pe, static_cast<Activity>(a));
      sim::require_invariant(sum == end, "busy, stalls and idle of every PE add up to the cycles");
      for (std::size_t d = 0; d < fabric::directions; ++d)
        total.flits[global * fabric::directions + d] = block.fabric->flits(pe, static_cast<fabric::Direction>(d));
    }
    const std::vector<CallRecord> taken = block.core->take_calls();
    if (taken.size() > calls.size()) calls.resize(taken.size());
    for (std::size_t k = 0; k < taken.size(); ++k) calls[k].merge(taken[k]);
  }
  for (int channel = 0; channel < channels; ++channel) {
    total.in.push_back(in.counters(channel, end));
    total.out.push_back(out.counters(channel));
  }
  StepStatistics step;
  step.calls = std::move(calls);
  step.activity = minus(total.activity, before_.activity);
  step.flits = minus(total.flits, before_.flits);
  step.hops = total.hops - before_.hops;
  step.in = minus(total.in, before_.in);
  step.out = minus(total.out, before_.out);
  before_ = std::move(total);
  return step;
}

}  // namespace wafersim::models
