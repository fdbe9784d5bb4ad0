#include "tools/trainer/trace_events.h"

#include <cmath>
#include <fmt/format.h>
#include <iterator>
#include <limits>
#include <utility>

namespace wafersim::tools {
namespace {

// Whole nanoseconds as microseconds: the least number that is not less when it is multiplied by 1000.
double microseconds(std::uint64_t nanoseconds) {
  const auto whole = static_cast<double>(nanoseconds);
  const double nearest = whole / 1000;
  return nearest * 1000 < whole ? std::nextafter(nearest, std::numeric_limits<double>::infinity()) : nearest;
}

}  // namespace

std::uint64_t TraceEvents::nanoseconds(Cycle cycle) const {
  return static_cast<std::uint64_t>(std::floor(static_cast<double>(cycle) * 1e9 / clock_));
}

std::string TraceEvents::stamp(Cycle cycle) const { return fmt::format("{}", microseconds(nanoseconds(cycle))); }

void TraceEvents::name_process(int pid, std::string_view name) {
  fmt::format_to(std::back_inserter(text_),
                 "{{\"ph\":\"M\",\"pid\":{0},\"tid\":1,\"name\":\"process_name\",\"args\":{{\"name\":\"{1}\"}}}},\n"
                 "{{\"ph\":\"M\",\"pid\":{0},\"tid\":1,\"name\":\"process_sort_index\",\"args\":{{\"sort_index\":{0}}}}},\n",
                 pid + 1, name);
}

void TraceEvents::name_track(TraceTrack track, std::string_view name, int place) {
  fmt::format_to(std::back_inserter(text_),
                 "{{\"ph\":\"M\",\"pid\":{0},\"tid\":{1},\"name\":\"thread_name\",\"args\":{{\"name\":\"{2}\"}}}},\n"
                 "{{\"ph\":\"M\",\"pid\":{0},\"tid\":{1},\"name\":\"thread_sort_index\",\"args\":{{\"sort_index\":{3}}}}},\n",
                 track.pid + 1, track.tid + 1, name, place);
}

void TraceEvents::slice(TraceTrack track, std::string_view name, Cycle begin, Cycle end, std::string_view arguments) {
  fmt::format_to(std::back_inserter(text_), "{{\"ph\":\"X\",\"pid\":{},\"tid\":{},\"name\":\"{}\",\"ts\":{},\"dur\":{},\"args\":{}}},\n",
                 track.pid + 1, track.tid + 1, name, stamp(begin), microseconds(nanoseconds(end) - nanoseconds(begin)), arguments);
}

void TraceEvents::counter(int pid, std::string_view name, std::string_view unit, Cycle cycle, double value) {
  fmt::format_to(std::back_inserter(text_), "{{\"ph\":\"C\",\"pid\":{},\"name\":\"{}\",\"ts\":{},\"args\":{{\"{}\":{}}}}},\n", pid + 1,
                 name, stamp(cycle), unit, value);
}

void TraceEvents::flow(char phase, TraceTrack track, std::string_view name, std::uint64_t id, Cycle cycle, std::string_view arguments) {
  fmt::format_to(std::back_inserter(text_),
                 "{{\"ph\":\"{}\",\"pid\":{},\"tid\":{},\"name\":\"{}\",\"cat\":\"flow\",\"id\":{},\"ts\":{}{},\"args\":{}}},\n", phase,
                 track.pid + 1, track.tid + 1, name, id, stamp(cycle), phase == 's' ? "" : ",\"bp\":\"e\"", arguments);
}

std::string TraceEvents::take() { return std::exchange(text_, {}); }

}  // namespace wafersim::tools
