#pragma once
// Wafer cycles with fractions against SystemC's time.

#include <cmath>
#include <systemc>

namespace wafersim::models {

class CycleClock {
 public:
  // From now on cycle 0 of a run of `hertz` is SystemC's present.
  void start(double hertz) {
    hertz_ = hertz;
    zero_ = sc_core::sc_time_stamp();
  }
  double hertz() const { return hertz_; }
  double now() const { return (sc_core::sc_time_stamp() - zero_).to_seconds() * hertz_; }
  // What is left to wait until a cycle, rounded up to the next whole one; zero when it is past.
  sc_core::sc_time until(double cycle) const {
    const sc_core::sc_time then = zero_ + sc_core::sc_time(std::ceil(cycle) / hertz_, sc_core::SC_SEC);
    return then > sc_core::sc_time_stamp() ? then - sc_core::sc_time_stamp() : sc_core::SC_ZERO_TIME;
  }
  sc_core::sc_time cycles_later(double cycles) const { return sc_core::sc_time(cycles / hertz_, sc_core::SC_SEC); }
  double cycles(const sc_core::sc_time& time) const { return time.to_seconds() * hertz_; }

 private:
  double hertz_ = 1;
  sc_core::sc_time zero_;
};

}  // namespace wafersim::models
