#include "tools/trainer/trace.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>

namespace wafersim::tools {
namespace {

enum Track { kernels, optimizer, in_west, in_east, out_west, out_east };
constexpr std::array<const char*, 6> track_names = {"wafer kernels", "optimizer",      "link in, west",
                                                    "link in, east", "link out, west", "link out, east"};

}  // namespace

void Trace::add_link(std::vector<Event>& events, const models::StepResult& step, bool in, bool east) const {
  const std::vector<std::vector<memoryx::CallSpan>>& channels = in ? step.statistics.in_spans : step.statistics.out_spans;
  const std::size_t half = channels.size() / 2;  // west channels come first
  std::map<int, memoryx::CallSpan> calls;
  for (std::size_t c = east ? half : 0; c < (east ? channels.size() : half); ++c)
    for (const memoryx::CallSpan& span : channels[c]) {
      memoryx::CallSpan& all = calls.try_emplace(span.call, memoryx::CallSpan{span.call, span.first, span.last, 0}).first->second;
      all.first = std::min(all.first, span.first);
      all.last = std::max(all.last, span.last);
      all.words += span.words;
    }
  std::uint64_t end = 0;
  for (const auto& [call, span] : calls) {
    if (events.size() == most_events) return;
    const PlannedCall& kernel = calls_[static_cast<std::size_t>(call) % calls_.size()];
    const std::uint64_t first = std::max(span.first, end);
    end = std::max(span.last, first);
    events.push_back(
        {in ? (east ? in_east : in_west) : (east ? out_east : out_west), kernel.kernel + " " + kernel.phase, first, end,
         fmt::format(R"({{"step":{},"call":{},"layer":{},"channels":{},"words":{}}})", steps_, call, kernel.layer, half, span.words)});
  }
}

std::vector<Trace::Event> Trace::events_of(const models::StepResult& step) const {
  std::vector<Event> events;
  for (std::size_t k = 0; k < step.statistics.calls.size(); ++k) {
    if (events.size() == most_events) return events;
    const PlannedCall& call = calls_[k % calls_.size()];
    const models::CallRecord& record = step.statistics.calls[k];
    events.push_back({kernels, call.kernel + " " + call.phase, record.first_start, record.last_done,
                      fmt::format(R"({{"step":{},"call":{},"layer":{},"macs":{}}})", steps_, k, call.layer, record.macs)});
  }
  for (const models::StepResult::Updates& updates : step.updates)
    if (updates.end > updates.begin)
      events.push_back({optimizer, "update", updates.begin, updates.end, fmt::format(R"({{"step":{}}})", steps_ - updates.steps_before)});
  for (const bool in : {true, false}) {
    for (const bool east : {false, true}) add_link(events, step, in, east);
  }
  return events;
}

void Trace::add(const models::StepResult& step) {
  std::vector<Event> events = events_of(step);
  const bool fits = last_.empty() && kept_.size() + 2 * events.size() <= most_events;
  if (fits) {
    kept_.insert(kept_.end(), events.begin(), events.end());
  } else {
    events.resize(std::min(events.size(), most_events - kept_.size()));
    last_ = std::move(events);
  }
  ++steps_;
}

std::string Trace::json() const {
  std::string text = "{\"displayTimeUnit\": \"ns\", \"traceEvents\": [";
  for (std::size_t track = 0; track < track_names.size(); ++track)
    text += fmt::format("{}\n{{\"ph\":\"M\",\"pid\":0,\"tid\":{},\"name\":\"thread_name\",\"args\":{{\"name\":\"{}\"}}}}",
                        track == 0 ? "" : ",", track, track_names[track]);
  const double microseconds = 1e6 / clock_;
  for (const std::vector<Event>* part : {&kept_, &last_}) {
    for (const Event& event : *part)
      text += fmt::format(",\n{{\"ph\":\"X\",\"pid\":0,\"tid\":{},\"name\":\"{}\",\"ts\":{},\"dur\":{},\"args\":{}}}", event.track,
                          event.name, static_cast<double>(event.begin) * microseconds,
                          static_cast<double>(event.end - event.begin) * microseconds, event.arguments);
  }
  return text + "\n]}\n";
}

}  // namespace wafersim::tools
