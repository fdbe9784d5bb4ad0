#include "tools/trainer/trace_step.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <iterator>
#include <map>
#include <optional>

#include "tools/trainer/trace_counters.h"

namespace wafersim::tools {
namespace {

using Cycle = std::uint64_t;
using memoryx::CallSpan, memoryx::StoreLog;

constexpr int most_lanes = 8;

// A slice that a flow may go through.
struct Shown {
  TracePlace place;
  Cycle begin = 0, end = 0;
  // The first cycle from `from` on that lies within it.
  std::optional<Cycle> reached(Cycle from) const {
    const Cycle cycle = std::max(from, begin);
    return cycle < end ? std::optional(cycle) : std::nullopt;
  }
};

// Spans of the first calls over several channels as one each.
std::map<int, CallSpan> merged(const std::vector<std::vector<CallSpan>>& channels, std::size_t from, std::size_t to, std::size_t shown) {
  std::map<int, CallSpan> calls;
  for (std::size_t c = from; c < to; ++c)
    for (const CallSpan& span : channels[c]) {
      if (static_cast<std::size_t>(span.call) >= shown) continue;
      CallSpan& all = calls.try_emplace(span.call, CallSpan{span.call, span.first, span.last, 0}).first->second;
      all.first = std::min(all.first, span.first);
      all.last = std::max(all.last, span.last);
      all.words += span.words;
    }
  return calls;
}

TraceResource memory(const StoreLog::Use& use) {
  const TraceResource first = use.in_flash ? TraceResource::flash_reads : TraceResource::dram_reads;
  return static_cast<TraceResource>(static_cast<int>(first) + static_cast<int>(use.purpose));
}

class StepPieces {
 public:
  StepPieces(const TracePlan& plan, const TraceOptions& options, int step, const models::StepResult& result, std::size_t shown)
      : plan_(plan),
        options_(options),
        step_(step),
        result_(result),
        calls_(result.statistics.calls.size()),
        shown_(std::min(shown, calls_)) {
    for (std::size_t k = 0; k < shown_; ++k) pieces_.emplace_back(plan.clock);
  }

  std::vector<TracePiece> make() {
    const models::StepStatistics& first = result_.statistics;
    add_wafer(0, first.calls, first.in_spans, first.out_spans);
    for (std::size_t w = 0; w < result_.others.size(); ++w)
      add_wafer(static_cast<int>(w) + 1, result_.others[w].calls, result_.others[w].in_spans, result_.others[w].out_spans);
    const int shared = plan_.shared_process();
    for (const auto& [spans, resource] :
         {std::pair(&result_.given, TraceResource::swarm_down), std::pair(&result_.gathered, TraceResource::swarm_up)})
      add_spans({shared, resource}, merged({*spans}, 0, 1, shown_), 1);
    add_store(shared);
    std::vector<TracePiece> made;
    for (Piece& piece : pieces_) {
      std::string events = piece.events.take();
      if (!events.empty()) made.push_back({std::move(piece.places), std::move(events)});
    }
    return made;
  }

 private:
  struct Piece {
    explicit Piece(double clock) : events(clock) {}
    std::vector<TracePlace> places;
    TraceEvents events;
  };
  using Slices = std::map<int, Shown>;  // by call

  const PlannedCall& planned(int call) const { return plan_.calls[static_cast<std::size_t>(call) % plan_.calls.size()]; }
  bool shows(int call) const { return static_cast<std::size_t>(call) < shown_ && options_.shows_layer(planned(call).layer); }
  Piece& piece(int call) { return pieces_[static_cast<std::size_t>(call)]; }
  std::string name(int call) const { return planned(call).kernel + " " + planned(call).phase; }

  Shown slice(Piece& piece, const TracePlace& place, const std::string& name, Cycle begin, Cycle end, const std::string& arguments) const {
    piece.places.push_back(place);
    piece.events.slice(place.track(), name, begin, end, arguments);
    return {place, begin, end};
  }
  std::string arguments(int call, const std::string& more) const {
    return fmt::format(R"({{"step":{},"call":{},"layer":{},{}}})", step_, call, planned(call).layer, more);
  }

  void add_wafer(int pid, const std::vector<models::CallRecord>& calls, const std::vector<std::vector<CallSpan>>& in,
                 const std::vector<std::vector<CallSpan>>& out) {
    const Slices kernels = add_kernels(pid, calls);
    const std::size_t west = in.size() / 2;  // west channels come first
    const auto add_edge = [&](TraceResource resource, const auto& channels, bool east) {
      return add_spans({pid, resource}, merged(channels, east ? west : 0, east ? channels.size() : west, shown_), plan_.link_channels);
    };
    const Slices in_west = add_edge(TraceResource::link_in_west, in, false), in_east = add_edge(TraceResource::link_in_east, in, true);
    const Slices out_west = add_edge(TraceResource::link_out_west, out, false),
                 out_east = add_edge(TraceResource::link_out_east, out, true);
    add_rates(pid, "link in", {&in_west, &in_east}, in);
    add_rates(pid, "link out", {&out_west, &out_east}, out);
    add_flows(pid, kernels, {&in_west, &in_east}, {&out_west, &out_east});
  }

  Slices add_kernels(int pid, const std::vector<models::CallRecord>& calls) {
    const TracePlace place{pid, TraceResource::kernels};
    slice(pieces_.front(), place, fmt::format("step {}", step_), result_.first, result_.last,
          fmt::format(R"({{"step":{},"cycles":{}}})", step_, result_.last - result_.first));
    Slices shown;
    for (std::size_t k = 0; k < calls.size(); ++k) {
      const int call = static_cast<int>(k);
      if (!shows(call)) continue;
      const models::CallRecord& record = calls[k];
      Piece& piece = pieces_[k];
      if (const std::size_t end = end_of_layer(k); end > k)
        slice(piece, place, fmt::format("layer {}", planned(call).layer), record.first_start, calls[end - 1].last_done,
              arguments(call, fmt::format(R"("calls":{})", end - k)));
      const Cycle cycles = record.last_done - record.first_start;
      shown[call] = slice(piece, place, name(call), record.first_start, record.last_done,
                          arguments(call, fmt::format(R"("cycles":{},"macs":{})", cycles, record.macs)));
      const double peak = plan_.peak_macs * static_cast<double>(cycles);
      const bool goes_on = k + 1 < calls.size() && shows(call + 1) && calls[k + 1].first_start == record.last_done;
      piece.events.counter(pid, "wafer utilisation", "of peak", record.first_start, peak > 0 ? static_cast<double>(record.macs) / peak : 0);
      if (!goes_on) piece.events.counter(pid, "wafer utilisation", "of peak", record.last_done, 0);
    }
    return shown;
  }
  // Of calls in a row that are of one layer and micro-batch, when k is the first: one past the last; else k.
  std::size_t end_of_layer(std::size_t k) const {
    const std::size_t first = k - k % plan_.calls.size(), end = std::min(calls_, first + plan_.calls.size());
    const int layer = planned(static_cast<int>(k)).layer;
    if (layer < 0 || (k > first && planned(static_cast<int>(k) - 1).layer == layer)) return k;
    std::size_t after = k;
    while (after < end && planned(static_cast<int>(after)).layer == layer) ++after;
    return after;
  }

  Slices add_spans(TracePlace place, const std::map<int, CallSpan>& spans, int channels) {
    std::vector<Cycle> ends;  // by lane
    Slices shown;
    for (const auto& [call, span] : spans) {
      if (!shows(call)) continue;
      auto lane = std::find_if(ends.begin(), ends.end(), [from = span.first](Cycle lane_end) { return lane_end <= from; });
      if (lane == ends.end())
        lane = ends.size() < std::size_t{most_lanes} ? ends.insert(lane, 0) : std::min_element(ends.begin(), ends.end());
      const Cycle begin = std::max(span.first, *lane), end = std::max(span.last, begin);
      place.lane = static_cast<int>(lane - ends.begin());
      *lane = end;
      shown[call] = slice(piece(call), place, name(call), begin, end,
                          arguments(call, fmt::format(R"("channels":{},"words":{},"cycles":{})", channels, span.words, end - begin)));
    }
    return shown;
  }

  void add_rates(int pid, const char* name, const std::array<const Slices*, 2>& edges, const std::vector<std::vector<CallSpan>>& channels) {
    std::vector<CallRate> rates;
    for (std::size_t edge = 0; edge < edges.size(); ++edge) {
      const std::size_t half = channels.size() / 2;
      const std::map<int, CallSpan> spans = merged(channels, edge == 0 ? 0 : half, edge == 0 ? half : channels.size(), shown_);
      std::vector<CallRate> of_edge;
      for (const auto& [call, shown] : *edges[edge]) {
        if (shown.begin == shown.end) continue;  // words of a moment
        const double bytes = 4.0 * static_cast<double>(spans.at(call).words), cycles = static_cast<double>(shown.end - shown.begin);
        of_edge.push_back({call, shown.begin, shown.end, std::llround(bytes * plan_.clock / cycles)});
      }
      const std::vector<CallRate> carried = at_most(std::max(1LL, std::llround(plan_.link_rate)), of_edge);
      rates.insert(rates.end(), carried.begin(), carried.end());
    }
    for (const CallValue& value : sums_of(rates)) piece(value.call).events.counter(pid, name, "bytes/s", value.cycle, value.value);
  }

  void add_flows(int pid, const Slices& kernels, const std::array<const Slices*, 2>& in, const std::array<const Slices*, 2>& out) {
    const auto first = [](const std::array<const Slices*, 2>& edges, int call) {
      const Shown* found = nullptr;
      for (const Slices* edge : edges)
        if (const auto slice = edge->find(call); slice != edge->end() && (found == nullptr || slice->second.begin < found->begin))
          found = &slice->second;
      return found;
    };
    const int calls = static_cast<int>(plan_.calls.size());
    for (int micro_batch = 0; micro_batch * calls < static_cast<int>(calls_); ++micro_batch)
      for (std::size_t f = 0; f < plan_.flows.size(); ++f) {
        const TracePlan::WeightFlow& flow = plan_.flows[f];
        const int from = micro_batch * calls + flow.from, to = micro_batch * calls + flow.to;
        if (!shows(from) || !shows(to)) continue;
        const Shown *begins = first(in, from), *ends = first(out, to);
        if (begins == nullptr || ends == nullptr) continue;
        const Shown &forward = kernels.at(from), &gradient = kernels.at(to);
        const auto used = forward.reached(begins->begin);
        const auto made = used ? gradient.reached(*used) : std::nullopt;
        const auto out_at = made ? ends->reached(*made) : std::nullopt;
        if (!out_at) continue;
        const std::uint64_t wafers = plan_.systems.size(), batch = static_cast<std::uint64_t>(step_) * (calls_ / plan_.calls.size());
        const std::uint64_t id =
            ((batch + static_cast<std::uint64_t>(micro_batch)) * plan_.flows.size() + f) * wafers + static_cast<std::uint64_t>(pid);
        const std::string arguments = fmt::format(R"({{"tensor":"{}","layer":{}}})", flow.tensor, planned(to).layer);
        TraceEvents& events = piece(to).events;
        events.flow('s', begins->place.track(), "weight", id, begins->begin, arguments);
        events.flow('t', forward.place.track(), "weight", id, *used, arguments);
        events.flow('t', gradient.place.track(), "weight", id, *made, arguments);
        events.flow('f', ends->place.track(), "weight", id, *out_at, arguments);
      }
  }

  void add_store(int pid) {
    const StoreLog& log = result_.store;
    for (const StoreLog::Use& use : log.uses)
      if (use.purpose != StoreLog::Purpose::update && shows(use.item))
        slice(piece(use.item), {pid, memory(use)}, name(use.item), use.begin, use.end,
              arguments(use.item, fmt::format(R"("bytes":{})", use.bytes)));
    for (const CallValue& value : depths_of(log.places, static_cast<int>(shown_)))
      if (shows(value.call)) piece(value.call).events.counter(pid, "read-ahead buffer", "blocks", value.cycle, value.value);
    for (std::size_t k = 0; k < log.waiting.size(); ++k)
      if (options_.shows_step(log.waiting[k].step) && (k + 1 == log.waiting.size() || log.waiting[k + 1].cycle != log.waiting[k].cycle))
        pieces_.back().events.counter(pid, "gradients waiting", "tensors", log.waiting[k].cycle,
                                      static_cast<double>(log.waiting[k].tensors));
  }

  const TracePlan& plan_;
  const TraceOptions& options_;
  int step_;
  const models::StepResult& result_;
  std::size_t calls_, shown_;  // of the step
  std::vector<Piece> pieces_;
};

}  // namespace

TraceTrack TracePlace::track() const { return {pid, most_lanes * static_cast<int>(resource) + lane}; }

std::string TracePlace::name() const {
  constexpr const char* names[] = {"wafer kernels",
                                   "link in, west",
                                   "link in, east",
                                   "link out, west",
                                   "link out, east",
                                   "optimizer",
                                   "MemoryX DRAM, reads",
                                   "MemoryX DRAM, gradients",
                                   "MemoryX DRAM, updates",
                                   "MemoryX flash, reads",
                                   "MemoryX flash, gradients",
                                   "MemoryX flash, updates",
                                   "SwarmX, to the wafers",
                                   "SwarmX, from the wafers"};
  const std::string name = names[static_cast<std::size_t>(resource)];
  return lane == 0 ? name : fmt::format("{}, lane {}", name, lane + 1);
}

std::vector<TracePiece> trace_step(const TracePlan& plan, const TraceOptions& options, int step, const models::StepResult& result,
                                   std::size_t calls) {
  return StepPieces(plan, options, step, result, calls).make();
}

std::vector<TracePiece> trace_update(const TracePlan& plan, const TraceOptions& options, const StepUpdate& update) {
  const int pid = plan.shared_process();
  const TracePlace optimizer{pid, TraceResource::optimizer};
  TraceEvents events(plan.clock);
  events.slice(optimizer.track(), "update", update.begin, update.end, fmt::format(R"({{"step":{}}})", update.step));
  std::vector<TracePiece> pieces = {{{optimizer}, events.take()}};
  const auto add = [&](const TracePlace& place, int number, Cycle begin, Cycle end, const std::string& more) {
    const TracePlan::Tensor& tensor = plan.tensors[static_cast<std::size_t>(number)];
    if (!options.shows_layer(tensor.layer)) return;
    events.slice(place.track(), tensor.name, begin, end, fmt::format(R"({{"step":{},"layer":{}{}}})", update.step, tensor.layer, more));
    pieces.push_back({{place}, events.take()});
  };
  for (const StoreLog::Update& tensor : update.tensors) add(optimizer, tensor.tensor, tensor.begin, tensor.end, "");
  for (const StoreLog::Use& use : update.uses)
    add({pid, memory(use)}, use.item, use.begin, use.end, fmt::format(R"(,"bytes":{})", use.bytes));
  return pieces;
}

}  // namespace wafersim::tools
