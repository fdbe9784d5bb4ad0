#pragma once
// A SystemC module with one process that runs at chosen wafer cycles. Cycle n is at floor(n * 10^15 / f) fs (sim/units.h).
//
// Processes exchange data only through state machines in which what one does at a cycle is visible to the others at a later one, so the
// order of processes within a cycle does not matter, and running one again within a cycle does no harm.

#include <cstdint>
#include <exception>
#include <functional>
#include <systemc>

#include "sim/units.h"

namespace wafersim::models {

// Somebody who can be asked to look again.
class Wakeable : public virtual sc_core::sc_interface {
 public:
  // At `cycle`, which is not past, or earlier; never: not at all.
  virtual void wake_at(std::uint64_t cycle) = 0;
};

// Why the simulation pauses before nothing is left to happen: the first failure of any process, which whoever started it rethrows; or that
// it is over, which is asked whenever a process has run.
struct Pause {
  std::exception_ptr error;
  std::function<bool()> is_over;  // none: never
};

class CycleModule : public sc_core::sc_module, public Wakeable {
 public:
  using Cycle = std::uint64_t;
  static constexpr Cycle never = ~Cycle{0};

  void wake_at(Cycle cycle) override;
  bool asleep() const { return pending_ == never; }

 protected:
  CycleModule(const sc_core::sc_module_name& name, sim::Hertz clock, Pause& pause);
  // All that the module does in cycle `now`.
  virtual void run(Cycle now) = 0;

 private:
  void activate();

  sim::Hertz clock_;
  Pause& pause_;
  sc_core::sc_event wake_;
  Cycle pending_ = never;  // of the event
};

}  // namespace wafersim::models
