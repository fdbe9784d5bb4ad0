#include "tools/trainer/trace.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <numeric>

namespace wafersim::tools {
namespace {

constexpr std::string_view begin_text = "{\"traceEvents\":[\n", separator = ",\n";
constexpr std::uint64_t kept_for_end = 1024;  // bytes

// Takes out those of a step.
template <class T>
std::vector<T> take(std::vector<T>& all, int step) {
  std::vector<T> taken;
  const auto is_of_step = [step](const T& entry) { return entry.step == step; };
  std::copy_if(all.begin(), all.end(), std::back_inserter(taken), is_of_step);
  std::erase_if(all, is_of_step);
  return taken;
}

std::uint64_t size_of(const std::vector<TracePiece>& pieces) {
  return std::accumulate(pieces.begin(), pieces.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const TracePiece& piece) { return sum + piece.events.size(); });
}

}  // namespace

Trace::Trace(TracePlan plan, TraceOptions options, Sink sink)
    : plan_(std::move(plan)),
      options_(std::move(options)),
      sink_(std::move(sink)),
      last_shown_(std::min(plan_.steps - 1, options_.last_step)) {}

void Trace::add(const models::StepResult& step) {
  const bool is_last = steps_ >= last_shown_, fits = is_last || !is_cut();
  const std::vector<TracePiece> pieces = pieces_of(step, fits);
  if (!fits)
    ++left_out_;
  else if (!pieces.empty())
    write(pieces, is_last);
  ++steps_;
}

// Those of all calls, or of so many first ones that the file holds no more.
std::vector<TracePiece> Trace::pieces_that_may_fit(const models::StepResult& step) const {
  for (std::size_t calls = 1024 + options_.limit / 1024;; calls *= 4) {
    std::vector<TracePiece> pieces = trace_step(plan_, options_, steps_, step, calls);
    if (calls >= step.statistics.calls.size() || size_of(pieces) >= options_.limit) return pieces;
  }
}

// makes: whether they are made; a step's update is remembered all the same.
std::vector<TracePiece> Trace::pieces_of(const models::StepResult& step, bool makes) {
  std::vector<TracePiece> pieces;
  if (makes && options_.shows_step(steps_)) pieces = pieces_that_may_fit(step);
  updates_.insert(updates_.end(), step.store.updates.begin(), step.store.updates.end());
  std::copy_if(step.store.uses.begin(), step.store.uses.end(), std::back_inserter(uses_),
               [](const memoryx::StoreLog::Use& use) { return use.purpose == memoryx::StoreLog::Purpose::update; });
  for (const models::StepResult::Updates& done : step.updates) {
    const int number = steps_ - done.steps_before;
    const StepUpdate update{number, done.begin, done.end, take(updates_, number), take(uses_, number)};
    if (!makes || !options_.shows_step(number) || done.begin == done.end) continue;
    std::vector<TracePiece> more = trace_update(plan_, options_, update);
    std::move(more.begin(), more.end(), std::back_inserter(pieces));
  }
  return pieces;
}

// The tracks of its slices that have none yet get their names.
std::string Trace::with_names(const TracePiece& piece) {
  TraceEvents names(plan_.clock);
  for (const TracePlace& place : piece.places) {
    const TraceTrack track = place.track();
    if (named_.emplace(track.pid, track.tid).second) names.name_track(track, place.name(), track.tid);
  }
  return names.take() + piece.events;
}

void Trace::write(const std::vector<TracePiece>& pieces, bool is_last) {
  const std::uint64_t size = size_of(pieces);
  longest_ = std::max(longest_, size);
  const bool is_first = bytes_ == 0;
  if (is_first) {
    TraceEvents processes(plan_.clock);
    for (std::size_t k = 0; k < plan_.systems.size(); ++k) processes.name_process(static_cast<int>(k), plan_.systems[k]);
    if (plan_.has_swarm) processes.name_process(plan_.shared_process(), "MemoryX and SwarmX");
    put(processes.take());
  }
  const std::uint64_t most = options_.limit - std::min(options_.limit, kept_for_end);
  const std::uint64_t room = is_last ? most : most - std::min({most, longest_, most / 2});
  if (!is_last && !is_first && bytes_ + size > room) {
    ++left_out_;
    return;
  }
  for (const TracePiece& piece : pieces) {
    const std::set<std::pair<int, int>> named = named_;
    const std::string events = with_names(piece);
    if (bytes_ + events.size() > room) {
      named_ = named;
      in_part_ += steps_ <= last_shown_ ? 1 : 0;  // what comes after it is the end of its update
      return;
    }
    put(events);
  }
}

// events: each on a line that ends with a comma, of which the last one waits for what follows.
void Trace::put(std::string_view events) {
  std::string text{bytes_ == 0 ? begin_text : separator};
  text += events.substr(0, events.size() - separator.size());
  bytes_ += text.size();
  sink_(text);
}

void Trace::finish() {
  nlohmann::ordered_json other = summary();
  if (!plan_.origin.is_null()) other["provenance"] = plan_.origin;
  const std::string text = "\n],\"otherData\":" + other.dump() + "}\n";
  bytes_ += text.size();
  sink_(text);
}

nlohmann::ordered_json Trace::summary() const {
  const std::string steps = window_text(options_), layers = layers_text(options_);
  return {{"limit_bytes", options_.limit},
          {"steps", steps.empty() ? "all" : steps},
          {"layers", layers.empty() ? "all" : layers},
          {"cut", is_cut()},
          {"steps_left_out", left_out_},
          {"steps_in_part", in_part_}};
}

}  // namespace wafersim::tools
