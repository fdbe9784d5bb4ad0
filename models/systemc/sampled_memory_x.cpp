#include "models/systemc/sampled_memory_x.h"

#include <algorithm>
#include <utility>

namespace wafersim::models {
namespace {

memoryx::StepWork work_of(const StepSchedule& schedule, int systems) {
  memoryx::StepWork work;
  work.micro_batches = schedule.micro_batches;
  work.systems = systems;
  work.tensor_elements = schedule.tensor_elements;
  for (const ScheduledCall& call : schedule.calls)
    work.calls.push_back({blocks_of(schedule.loads[static_cast<std::size_t>(call.load)]), call.reads, call.gradients});
  return work;
}

}  // namespace

SampledMemoryX::SampledMemoryX(const sc_core::sc_module_name& name, const CycleClock& clock)
    : sc_core::sc_module(name), reports("reports"), down("down"), store("store", clock), clock_(clock), wake_("wake") {
  reports.bind(*this);
  SC_HAS_PROCESS(SampledMemoryX);
  SC_METHOD(act);
  sensitive << wake_;
  dont_initialize();
}

void SampledMemoryX::configure(const StepSchedule& schedule, const SampledSpec& spec, int systems, int steps,
                               const std::vector<bool>& skipped) {
  schedule_ = &schedule;
  steps_ = steps;
  skipped_ = skipped;
  flow_.emplace(spec.memoryx, memoryx::StoreFlow::Rules{spec.clock, spec.optimizer, spec.updates_wait}, work_of(schedule, systems), store);
  given_.clear();
  step_ = collected_ = updated_ = 0;
  due_cycle_ = 0;
  results_.assign(static_cast<std::size_t>(steps), {});
}

void SampledMemoryX::start() {
  flow_->begin_step(0);
  wake_.notify(sc_core::SC_ZERO_TIME);
}

int SampledMemoryX::parts_of(int call) const {
  const ScheduledCall& scheduled = schedule_->calls[static_cast<std::size_t>(call) % schedule_->calls.size()];
  return blocks_of(schedule_->loads[static_cast<std::size_t>(scheduled.load)]);
}

std::vector<SampledStep> SampledMemoryX::steps() {
  std::vector<SampledStep> steps = std::move(results_);
  const memoryx::StoreLog log = flow_->take_log();
  const auto share_out = [&](const auto& all, auto memoryx::StoreLog::*member) {
    for (auto entry : all) {
      auto& of_step = steps[static_cast<std::size_t>(std::exchange(entry.step, 0))].store.*member;
      of_step.push_back(entry);
    }
  };
  share_out(log.uses, &memoryx::StoreLog::uses);
  share_out(log.places, &memoryx::StoreLog::places);
  share_out(log.waiting, &memoryx::StoreLog::waiting);
  share_out(log.updates, &memoryx::StoreLog::updates);
  return steps;
}

void SampledMemoryX::taken(int, const BlockTaken& taken) {
  flow_->taken(given_.front().call, given_.front().part, memoryx::whole_cycles(taken.end));
  given_.pop_front();
  wake_.notify(sc_core::SC_ZERO_TIME);
}

void SampledMemoryX::report(int, const BlockReport& report) {
  SampledStep& step = results_[static_cast<std::size_t>(step_)];
  step.gradients = std::max(step.gradients, report.arrived);
  if (report.arrived > 0) flow_->gradient(report.call, 1.0 / parts_of(report.call), report.last, memoryx::whole_cycles(report.arrived));
  if (report.last && ++collected_ == static_cast<int>(schedule_->calls.size()) * schedule_->micro_batches) {
    const std::uint64_t complete = memoryx::whole_cycles(step.gradients);
    flow_->end_step(complete, !skipped_.empty() && skipped_[static_cast<std::size_t>(step_)]);
    collected_ = 0;
    if (++step_ < steps_) {
      results_[static_cast<std::size_t>(step_)].first = step.gradients;
      flow_->begin_step(complete);
    }
  }
  wake_.notify(sc_core::SC_ZERO_TIME);
}

void SampledMemoryX::act() {
  const auto now = static_cast<std::uint64_t>(clock_.now());
  flow_->advance(sc_core::sc_time_stamp() >= due_ ? std::max(now, due_cycle_) : now);
  while (const std::optional<memoryx::StoreFlow::Read> read = flow_->next_read()) {
    StreamBlock block{step_, read->call, read->part, parts_of(read->call), {}, static_cast<double>(read->update_wait)};
    block.supply.begin = static_cast<double>(read->ready);
    given_.push_back({read->call, read->part});
    down->give(block);
  }
  while (const std::optional<memoryx::StoreFlow::Updates> updates = flow_->next_updates()) {
    SampledStep& step = results_[static_cast<std::size_t>(updates->step)];
    step.update_begins = static_cast<double>(updates->begin);
    step.updated = static_cast<double>(updates->end);
    ++updated_;
  }
  due_cycle_ = 0;
  const std::uint64_t next = flow_->next_event();
  if (next == memoryx::never) return;
  const sc_core::sc_time wait = clock_.until(static_cast<double>(next));
  due_ = sc_core::sc_time_stamp() + wait;
  due_cycle_ = next;
  wake_.notify(wait);
}

}  // namespace wafersim::models
