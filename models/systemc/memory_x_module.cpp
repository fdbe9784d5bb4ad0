#include "models/systemc/memory_x_module.h"

#include <algorithm>

namespace wafersim::models {

MemoryXModule::MemoryXModule(const sc_core::sc_module_name& name, memoryx::MemoryX& memory_x, sim::Hertz clock, Pause& pause)
    : CycleModule(name, clock, pause), link("link"), memory_x_(memory_x) {}

void MemoryXModule::begin_step(Cycle cycle, const memoryx::StepBatch& batch) {
  result_.reset();
  memory_x_.begin_step(cycle, batch);
  link->wake_at(cycle);
  wake_at(memory_x_.gradients_complete() ? cycle : std::max(cycle, memory_x_.next_event()));  // the plan may announce none
}

void MemoryXModule::link_stepped(Cycle now) {
  const bool ends = !result_ && memory_x_.gradients_complete();
  wake_at(ends ? now : std::max(now, memory_x_.next_event()));
}

void MemoryXModule::run(Cycle now) {
  if (!result_ && memory_x_.gradients_complete()) result_ = Result{memory_x_.finish_step(now), now};
  link->wake_at(memory_x_.advance(now));
  wake_at(memory_x_.next_event());
}

}  // namespace wafersim::models
