#include "tools/trainer/step_totals.h"

#include <algorithm>
#include <numeric>

#include "sim/error.h"

namespace wafersim::tools {
namespace {

void add_to(std::vector<std::uint64_t>& total, const std::vector<std::uint64_t>& more) {
  total.resize(more.size());
  std::transform(total.begin(), total.end(), more.begin(), total.begin(), std::plus<>());
}

void add_to(std::vector<memoryx::LinkCounters>& total, const std::vector<memoryx::LinkCounters>& more) {
  total.resize(more.size());
  for (std::size_t channel = 0; channel < more.size(); ++channel) total[channel] += more[channel];
}

void check_link(const std::vector<memoryx::LinkCounters>& channels, std::uint64_t planned, std::uint64_t cycles) {
  std::uint64_t words = 0;
  for (const memoryx::LinkCounters& channel : channels) {
    words += channel.words;
    sim::require_invariant(channel.busy_cycles <= cycles, "a channel of the I/O link is busy at most all the time");
  }
  sim::require_invariant(words == planned, "every word of the plan crosses the I/O link once a micro-batch");
}

}  // namespace

void StepTotals::add(const models::StepResult& step) {
  ++steps;
  cycles += step.at_rest - step.first;
  hops += static_cast<double>(step.statistics.hops);
  add_to(activity, step.statistics.activity);
  add_to(flits, step.statistics.flits);
  add_to(in, step.statistics.in);
  add_to(out, step.statistics.out);
}

void check_step(const models::WaferPlan& plan, const models::StepResult& step, double rate) {
  const models::StepStatistics& statistics = step.statistics;
  const std::uint64_t cycles = step.at_rest - step.first;
  const std::size_t pes = static_cast<std::size_t>(plan.width) * static_cast<std::size_t>(plan.height);
  sim::require_invariant(statistics.activity.size() == pes * models::activities && statistics.flits.size() == pes * fabric::directions,
                         "every PE is counted");
  for (std::size_t pe = 0; pe < pes; ++pe) {
    const auto first = statistics.activity.begin() + static_cast<std::ptrdiff_t>(pe * models::activities);
    sim::require_invariant(std::accumulate(first, first + models::activities, std::uint64_t{0}) == cycles,
                           "busy, stalled and idle cycles of every PE add up to the step's");
  }
  sim::require_invariant(std::all_of(statistics.flits.begin(), statistics.flits.end(), [&](std::uint64_t f) { return f <= cycles; }),
                         "a fabric link carries at most one wavelet a cycle");
  std::uint64_t in = 0, out = 0, macs = 0;
  for (const models::KernelCall& call : plan.calls) {
    in += call.stream.in.size();
    for (const memoryx::CallStream::PortWords& port : call.stream.out) out += port.words.size();
  }
  const auto times = static_cast<std::uint64_t>(plan.micro_batches);
  check_link(statistics.in, times * in, cycles);
  check_link(statistics.out, times * out, cycles);
  for (const models::CallRecord& call : statistics.calls) macs += call.macs;
  sim::require_invariant(static_cast<double>(macs) <= rate * static_cast<double>(pes) * static_cast<double>(cycles),
                         "the PEs do no more multiply-adds than at their peak rate");
}

}  // namespace wafersim::tools
