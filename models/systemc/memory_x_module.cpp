#include "models/systemc/memory_x_module.h"

namespace wafersim::models {

MemoryXModule::MemoryXModule(const sc_core::sc_module_name& name, memoryx::MemoryX& memory_x, sim::Hertz clock, Failure& failure)
    : CycleModule(name, clock, failure), link("link"), memory_x_(memory_x) {}

void MemoryXModule::begin_step(Cycle cycle, const memoryx::StepBatch& batch) {
  result_.reset();
  memory_x_.begin_step(cycle, batch);
  link->wake_at(cycle);
  if (memory_x_.gradients_complete()) wake_at(cycle);  // the plan announces none
}

void MemoryXModule::link_stepped(Cycle now) {
  if (!result_ && memory_x_.gradients_complete()) wake_at(now);
}

void MemoryXModule::run(Cycle now) {
  if (result_) return;  // once a step
  result_ = Result{memory_x_.finish_step(now), now};
}

}  // namespace wafersim::models
