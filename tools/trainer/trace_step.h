#pragma once
// A step as pieces of a trace, each of which is whole without those that follow: a kernel call with all that belongs to it, or a tensor's
// update.
//
// Tracks, of each system: "wafer kernels" (a slice a step, in it one for each run of calls of a layer, in it one a kernel call, from the
// first PE's start to the last one's completion), and the I/O link by direction and edge: a slice is one call's words, from the first to
// the last of them over the edge's channels; where those of several channels overlap, it lies on another lane of the track; where all eight
// are taken, it begins when the first of them is free. Of what systems share: the optimizer (a slice a step's update, in it one a tensor),
// the memories of MemoryX by what their bytes are for (from the first access for a call or tensor to the last; beside each other those of
// one memory may alternate), and SwarmX's root by direction.
//
// Counters: bytes/s of the link, in and out (of each call that is shown its bytes over the time of its slice, but of an edge no more than
// it carries: what is over where slices overlap comes behind); utilisation of the wafer (of each kernel call its multiply-adds over peak
// rate and time); blocks in MemoryX's read-ahead buffer, told when the last block of a call has been asked for and when it has left;
// tensors whose gradients wait for the optimizer.
//
// Flows: from the words in of a forward call that reads a weight, over that call and the one that makes the weight's gradient, to the
// gradient's words out.

#include <string>
#include <vector>

#include "models/system.h"
#include "tools/trainer/trace_events.h"
#include "tools/trainer/trace_options.h"
#include "tools/trainer/trace_plan.h"

namespace wafersim::tools {

// A resource that does one thing after another, in the order in which they are shown.
enum class TraceResource {
  kernels,
  link_in_west,
  link_in_east,
  link_out_west,
  link_out_east,
  optimizer,
  dram_reads,
  dram_gradients,
  dram_updates,
  flash_reads,
  flash_gradients,
  flash_updates,
  swarm_down,
  swarm_up,
};

// Lane 0 is the resource itself, further ones what overlaps with those before.
struct TracePlace {
  int pid = 0;
  TraceResource resource = TraceResource::kernels;
  int lane = 0;
  friend auto operator<=>(const TracePlace&, const TracePlace&) = default;
  TraceTrack track() const;
  std::string name() const;
};

struct TracePiece {
  std::vector<TracePlace> places;  // of its slices
  std::string events;
};

// Those of a step's first calls, so many of them, of layers that the options show.
std::vector<TracePiece> trace_step(const TracePlan& plan, const TraceOptions& options, int step, const models::StepResult& result,
                                   std::size_t calls);
// Those of a step's update, which took from `begin` to `end`: by tensor, what the optimizer did and what the memories did for it.
struct StepUpdate {
  int step = 0;
  std::uint64_t begin = 0, end = 0;
  std::vector<memoryx::StoreLog::Update> tensors;
  std::vector<memoryx::StoreLog::Use> uses;
};
std::vector<TracePiece> trace_update(const TracePlan& plan, const TraceOptions& options, const StepUpdate& update);

}  // namespace wafersim::tools
