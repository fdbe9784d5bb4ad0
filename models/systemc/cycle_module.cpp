#include "models/systemc/cycle_module.h"

namespace wafersim::models {

CycleModule::CycleModule(const sc_core::sc_module_name& name, sim::Hertz clock, Failure& failure)
    : sc_core::sc_module(name), clock_(clock), failure_(failure), wake_("wake") {
  SC_HAS_PROCESS(CycleModule);
  SC_METHOD(activate);
  sensitive << wake_;
  dont_initialize();
}

void CycleModule::wake_at(Cycle cycle) {
  if (cycle >= pending_) return;  // never included
  pending_ = cycle;
  const std::uint64_t now = sc_core::sc_time_stamp().value(), then = sim::time_of(sim::Cycles(cycle), clock_).count();
  sim::require_invariant(then >= now, "a module is woken at a cycle to come");
  wake_.notify(sc_core::sc_time::from_value(then - now));
}

void CycleModule::activate() {
  const Cycle now = pending_;
  pending_ = never;
  try {
    run(now);
  } catch (...) {
    if (!failure_.error) failure_.error = std::current_exception();
    sc_core::sc_pause();
  }
}

}  // namespace wafersim::models
