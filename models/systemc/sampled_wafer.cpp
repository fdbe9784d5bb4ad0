#include "models/systemc/sampled_wafer.h"

#include <algorithm>

namespace wafersim::models {
SampledWafer::SampledWafer(const sc_core::sc_module_name& name, int place, const CycleClock& clock)
    : sc_core::sc_module(name), down("down"), parent("parent"), place_(place), clock_(clock), given_("given") {
  down.bind(*this);
  SC_HAS_PROCESS(SampledWafer);
  SC_THREAD(work);
}

void SampledWafer::configure(const StepSchedule& schedule) {
  schedule_ = &schedule;
  in_.emplace(schedule.link);
  out_.emplace(schedule.link);
  calls_.clear();
  free_ = 0;
}

void SampledWafer::give(const StreamBlock& block) {
  const ScheduledCall& call = schedule_->calls[static_cast<std::size_t>(block.call) % schedule_->calls.size()];
  const double share = 1.0 / block.parts;
  in_->offer(schedule_->loads[static_cast<std::size_t>(call.load)], block.part * share, (block.part + 1) * share, block.supply);
  tell_what_is_taken();
  blocks_.push_back(block);
  given_.notify(sc_core::SC_ZERO_TIME);
}

void SampledWafer::tell_what_is_taken() {
  while (const std::optional<InFlow::Sent> sent = in_->next_sent()) parent->taken(place_, {sent->begin, sent->end});
}

void SampledWafer::work() {
  while (true) {
    while (blocks_.empty()) wait(given_);
    const StreamBlock block = blocks_.front();
    blocks_.pop_front();
    work_on(block);
  }
}

void SampledWafer::work_on(const StreamBlock& block) {
  const std::vector<ScheduledCall>& order = schedule_->calls;
  const ScheduledCall& call = order[static_cast<std::size_t>(block.call) % order.size()];
  const LinkLoad& load = schedule_->loads[static_cast<std::size_t>(call.load)];
  // Words come evenly until the drain, gradients evenly after the fill.
  const bool is_first = block.part == 0, is_last = block.part == block.parts - 1;
  const double share = 1.0 / block.parts;
  const double fill = is_first ? call.fill_cycles : 0, drain = is_last ? call.drain_cycles : 0;
  const double cycles = fill + (call.active_cycles - call.fill_cycles - call.drain_cycles) * share;
  if (is_first) {
    // A step's first start comes over the link.
    if (block.call == 0) free_ = std::max(free_, block.supply.begin + static_cast<double>(schedule_->link.latency_cycles));
    calls_.emplace_back();
    calls_.back().start = free_;
  }
  SampledCall& record = calls_.back();
  const InFlow::Block in = in_->consume(free_, cycles);
  tell_what_is_taken();
  const OutFlow::Block out = out_->produce(load, share, free_ + fill, in.end + drain - free_ - fill);
  const double late = in.end - (free_ + cycles), for_update = std::min(in.supply_wait, block.update_wait);
  record.waits[static_cast<int>(WaitCause::update)] += for_update;
  record.waits[static_cast<int>(WaitCause::store)] += in.supply_wait - for_update;
  record.waits[static_cast<int>(WaitCause::weight_link)] += late - in.supply_wait;
  record.waits[static_cast<int>(WaitCause::gradient_link)] += out.produced - (in.end + drain);
  for (int edge = 0; edge < link_edges; ++edge) {
    record.in[edge].add(in.edges[edge]);
    record.out[edge].add(out.edges[edge]);
  }
  free_ = record.done = out.produced;
  const BlockReport report{block.step, block.call, is_last, out.arrived};
  if (is_last) free_ += call.period_cycles - call.active_cycles;
  wait(clock_.until(out.produced));
  parent->report(place_, report);
}

}  // namespace wafersim::models
