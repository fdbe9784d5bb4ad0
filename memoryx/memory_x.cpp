#include "memoryx/memory_x.h"

#include <algorithm>
#include <utility>

#include "memoryx/stream_work.h"
#include "sim/error.h"

namespace wafersim::memoryx {
namespace {

StoreFlow::Rules rules_of(double clock_hz, const UpdateSpec& update) {
  return {clock_hz, update.optimizer.kind, update.clip > 0.0 || update.loss_scale.dynamic};
}

}  // namespace

MemoryX::MemoryX(const MemoryXSpec& spec, double clock_hz, const TrainingSpec& training, ParameterStore store,
                 const std::vector<const CallStream*>& streams, const LinkTiming& timing, StoreMemory& memory, int micro_batches)
    : training_(training),
      store_(std::move(store)),
      streamer_(streams, timing, store_, micro_batches, training.systems),
      collector_(streams, training, store_, micro_batches),
      updater_(training.update),
      flow_(spec, rules_of(clock_hz, training.update), work_of(streams, timing, store_.table(), training, micro_batches), memory) {}

void MemoryX::begin_step(std::uint64_t cycle, const StepBatch& batch) {
  sim::require_invariant(batch.tokens.size() == training_.tokens() && batch.targets.size() == training_.tokens(),
                         "a step's batch has the size of the plan's");
  batch_ = batch;
  streamer_.begin_step(cycle, batch, static_cast<float>(updater_.loss_scale() / loss_tokens(batch.targets)));
  collector_.begin_step();
  flow_.begin_step(cycle);
  pass_on(cycle, cycle);
}

std::uint64_t MemoryX::advance(std::uint64_t cycle) { return pass_on(cycle, cycle + 1); }

std::uint64_t MemoryX::pass_on(std::uint64_t cycle, std::uint64_t earliest) {
  std::uint64_t first = never;
  for (const GradientCollector::Arrived& arrived : collector_.take_arrived())
    flow_.gradient(arrived.call, arrived.share, arrived.last, arrived.cycle);
  do {
    for (const WeightStreamer::Left& left : streamer_.take_left()) flow_.taken(left.call, left.block, left.cycle);
    flow_.advance(cycle);
    while (const std::optional<StoreFlow::Read> read = flow_.next_read()) {
      const std::uint64_t ready = std::max(read->ready, earliest);
      streamer_.set_read(read->call, read->part, ready, read->update_wait, cycle);
      first = std::min(first, ready);
    }
  } while (streamer_.any_left());
  return first;
}

std::uint64_t MemoryX::next_event() const { return streamer_.any_left() || collector_.any_arrived() ? 0 : flow_.next_event(); }

MemoryX::StepEnd MemoryX::finish_step(std::uint64_t cycle) {
  collector_.scatter_tokens(batch_.tokens);
  const StepEnd end{collector_.loss_sum() / loss_tokens(batch_.targets), updater_.finish_step(store_)};
  for (const GradientCollector::Arrived& arrived : collector_.take_arrived())
    flow_.gradient(arrived.call, arrived.share, arrived.last, arrived.cycle);
  flow_.end_step(cycle, end.update.skipped);
  return end;
}

}  // namespace wafersim::memoryx
