#pragma once
// Events of the Trace Event Format as text, each on a line of its own that ends with a comma. Times are wafer cycles; a file has them in
// microseconds, which the viewers take to whole nanoseconds: so does this, with numbers that are still whole nanoseconds after a viewer has
// multiplied them by 1000 and rounded or cut them, lest a slice reach beyond the one around it. Processes and threads count from 0 here and
// from 1 in the file: viewers take 0 for the idle one.

#include <cstdint>
#include <string>
#include <string_view>

namespace wafersim::tools {

// A process and a thread of it, as the format calls what are a system and a resource of it here.
struct TraceTrack {
  int pid = 0, tid = 0;
  friend auto operator<=>(const TraceTrack&, const TraceTrack&) = default;
};

class TraceEvents {
 public:
  using Cycle = std::uint64_t;
  explicit TraceEvents(double clock) : clock_(clock) {}  // Hz

  void name_process(int pid, std::string_view name);
  // Tracks of a process are shown in order of `place`.
  void name_track(TraceTrack track, std::string_view name, int place);
  // arguments: a JSON object. Slices of a track lie apart or within each other; what lies around others is added first.
  void slice(TraceTrack track, std::string_view name, Cycle begin, Cycle end, std::string_view arguments);
  // The counter of a process has `value` from `cycle` on.
  void counter(int pid, std::string_view name, std::string_view unit, Cycle cycle, double value);
  // A flow begins (s), goes on (t) or ends (f) in the innermost slice of the track at `cycle`, which has been added.
  void flow(char phase, TraceTrack track, std::string_view name, std::uint64_t id, Cycle cycle, std::string_view arguments);

  std::string take();

 private:
  std::uint64_t nanoseconds(Cycle cycle) const;
  std::string stamp(Cycle cycle) const;

  double clock_;
  std::string text_;
};

}  // namespace wafersim::tools
