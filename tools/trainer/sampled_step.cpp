#include "tools/trainer/sampled_step.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace wafersim::tools {
namespace {

using models::Activity;

std::uint64_t whole(double value) { return static_cast<std::uint64_t>(std::llround(value)); }

double& of(std::array<double, models::activities>& cycles, Activity activity) { return cycles[static_cast<std::size_t>(activity)]; }

// Words of a step, by channel of the link.
std::vector<memoryx::LinkCounters> link_counters(const models::StepSchedule& schedule, bool in) {
  std::vector<double> words(static_cast<std::size_t>(schedule.link.channels()));
  for (const models::ScheduledCall& call : schedule.calls) {
    const models::LinkLoad& load = schedule.loads[static_cast<std::size_t>(call.load)];
    for (std::size_t c = 0; c < words.size(); ++c) words[c] += schedule.micro_batches * (in ? load.in : load.out)[c].words();
  }
  const double word_cycles = 4 / schedule.link.bytes_per_cycle();
  std::vector<memoryx::LinkCounters> counters;
  for (const double count : words) {
    counters.emplace_back();
    counters.back().words = whole(count);
    counters.back().busy_cycles = static_cast<std::uint64_t>(count * word_cycles);
  }
  return counters;
}

void add_swarm(models::StepResult& result, const models::SampledStep& step) {
  const auto add = [](std::vector<memoryx::CallSpan>& spans, std::size_t call, const models::LinkSpan& span) {
    if (span.words > 0) spans.push_back({static_cast<int>(call), whole(span.first), whole(span.last), whole(span.words)});
  };
  for (std::size_t k = 0; k < step.calls.size(); ++k) {
    add(result.given, k, step.calls[k].given);
    add(result.gathered, k, step.calls[k].gathered);
  }
}

void place(memoryx::StoreLog& log, int number, std::uint64_t cycles) {
  for (memoryx::StoreLog::Use& use : log.uses) use.step = number, use.begin += cycles, use.end += cycles;
  for (memoryx::StoreLog::Place& taken : log.places) taken.step = number, taken.cycle += cycles;
  for (memoryx::StoreLog::Waiting& waiting : log.waiting) waiting.step = number, waiting.cycle += cycles;
  for (memoryx::StoreLog::Update& update : log.updates) update.step = number, update.begin += cycles, update.end += cycles;
}

}  // namespace

SampledStepReader::SampledStepReader(const models::StepSchedule& schedule, const std::vector<workloads::KernelTime>& times,
                                     std::uint64_t pes)
    : schedule_(schedule), times_(times), pes_(pes) {}

// The PEs' cycles between `from` and `to`: the call's and what lies around it until the next.
models::CallRecord SampledStepReader::record(const models::SampledCall& call, const workloads::KernelTime& time, std::uint64_t from,
                                             std::uint64_t to) const {
  const double pes = static_cast<double>(pes_);
  std::array<double, models::activities> cycles{};
  for (std::size_t a = 0; a < models::activities; ++a) cycles[a] = time.share[a] * time.period * pes;
  const double out = call.waits[static_cast<std::size_t>(models::WaitCause::gradient_link)];
  of(cycles, Activity::output_wait) += out * pes;
  of(cycles, Activity::wavelet_wait) += (std::accumulate(std::begin(call.waits), std::end(call.waits), 0.0) - out) * pes;
  of(cycles, Activity::idle) = 0;
  const std::uint64_t all = pes_ * (to - from);
  const double worked = std::accumulate(cycles.begin(), cycles.end(), 0.0);
  const double fit = std::min(1.0, static_cast<double>(all) / std::max(1.0, worked));  // rounded times
  models::CallRecord record;
  record.first_start = whole(call.start);
  record.last_done = whole(call.done);
  record.macs = whole(time.macs);
  std::uint64_t left = all;
  for (std::size_t a = 0; a < models::activities; ++a) {
    record.cycles[a] = std::min(left, static_cast<std::uint64_t>(cycles[a] * fit));
    left -= record.cycles[a];
  }
  record.cycles[static_cast<std::size_t>(Activity::idle)] += left;
  return record;
}

void SampledStepReader::add_links(models::StepStatistics& statistics, const models::SampledStep& step) const {
  statistics.in = link_counters(schedule_, true);
  statistics.out = link_counters(schedule_, false);
  const std::size_t channels = statistics.in.size();
  statistics.in_spans.resize(channels);
  statistics.out_spans.resize(channels);
  for (std::size_t k = 0; k < step.calls.size(); ++k)
    for (int edge = 0; edge < models::link_edges; ++edge) {
      const std::size_t first = edge == models::west_edge ? 0 : channels / 2;  // whose spans stand for the edge's
      const auto add = [&](std::vector<memoryx::CallSpan>& spans, const models::LinkSpan& span) {
        if (span.words > 0) spans.push_back({static_cast<int>(k), whole(span.first), whole(span.last), whole(span.words)});
      };
      add(statistics.in_spans[first], step.calls[k].in[edge]);
      add(statistics.out_spans[first], step.calls[k].out[edge]);
    }
}

models::StepResult SampledStepReader::read(const models::SampledStep& step, bool last_of_run) const {
  models::StepResult result;
  result.first = whole(step.first);
  result.gradients = whole(step.gradients);
  result.at_rest = result.gradients;
  result.last = last_of_run ? std::max(result.at_rest, whole(step.updated)) : result.at_rest;
  result.updates.push_back({0, whole(step.update_begins), whole(step.updated)});
  double hops = 0;
  std::uint64_t from = result.first;
  for (std::size_t k = 0; k < step.calls.size(); ++k) {
    const workloads::KernelTime& time = times_[k % times_.size()];
    const std::uint64_t to = k + 1 < step.calls.size() ? whole(step.calls[k + 1].start) : result.at_rest;
    result.statistics.calls.push_back(record(step.calls[k], time, from, to));
    hops += time.hops;
    from = to;
  }
  result.statistics.hops = whole(hops);
  add_links(result.statistics, step);
  add_swarm(result, step);
  result.store = step.store;
  return result;
}

void place(models::StepResult& step, int number, fabric::Cycle cycles) {
  for (fabric::Cycle* time : {&step.first, &step.gradients, &step.at_rest, &step.last}) *time += cycles;
  for (models::StepResult::Updates& updates : step.updates) {
    updates.begin += cycles;
    updates.end += cycles;
  }
  for (models::CallRecord& call : step.statistics.calls) {
    call.first_start += cycles;
    call.last_done += cycles;
  }
  const auto move = [&](std::vector<memoryx::CallSpan>& spans) {
    for (memoryx::CallSpan& span : spans) {
      span.first += cycles;
      span.last += cycles;
    }
  };
  for (auto* channels : {&step.statistics.in_spans, &step.statistics.out_spans}) std::for_each(channels->begin(), channels->end(), move);
  move(step.given);
  move(step.gathered);
  place(step.store, number, cycles);
}

}  // namespace wafersim::tools
