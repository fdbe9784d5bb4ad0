#pragma once
// trace.json: the run on a time axis, for Perfetto, chrome://tracing and tools/plot.py (Trace Event Format, complete events, microseconds
// of simulated time). One track a serial resource: the wafer's kernels, the optimizer, the I/O link by edge and direction. A step's update
// is one slice that may reach into the next step. Bounded: the first steps that fit most_events, and of the last step what fits.
//
// On a link track a slice is one kernel call's words, from the first to the last of them over the edge's channels; where the calls of
// several channels overlap, a slice begins where the one before it ends.

#include <cstddef>
#include <string>
#include <vector>

#include "models/system.h"
#include "tools/trainer/planned_call.h"

namespace wafersim::tools {

class Trace {
 public:
  static constexpr std::size_t most_events = 20000;

  // calls: of a micro-batch; clock: Hz.
  Trace(std::vector<PlannedCall> calls, double clock) : calls_(std::move(calls)), clock_(clock) {}

  void add(const models::StepResult& step);
  // {"displayTimeUnit": "ns", "traceEvents": [...]}
  std::string json() const;

  // Saves or restores what a new one does not know.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(steps_, kept_, last_);
  }

 private:
  struct Event {
    int track = 0;
    std::string name;
    fabric::Cycle begin = 0, end = 0;
    std::string arguments;  // JSON object
    template <class Archive>
    void serialize(Archive& archive) {
      archive(track, name, begin, end, arguments);
    }
  };
  std::vector<Event> events_of(const models::StepResult& step) const;
  void add_link(std::vector<Event>& events, const models::StepResult& step, bool in, bool east) const;

  std::vector<PlannedCall> calls_;
  double clock_;
  int steps_ = 0;
  std::vector<Event> kept_, last_;  // last_: of the last step, when it did not fit
};

}  // namespace wafersim::tools
