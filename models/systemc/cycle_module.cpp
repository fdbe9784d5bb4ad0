#include "models/systemc/cycle_module.h"

namespace wafersim::models {

CycleModule::CycleModule(const sc_core::sc_module_name& name, sim::Hertz clock, Pause& pause)
    : sc_core::sc_module(name), clock_(clock), pause_(pause), wake_("wake") {
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
    if (pause_.is_over && pause_.is_over()) sc_core::sc_pause();
  } catch (...) {
    if (!pause_.error) pause_.error = std::current_exception();
    sc_core::sc_pause();
  }
}

}  // namespace wafersim::models
