#include "tests/support/pure_wafer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "models/stall_report.h"
#include "sim/error.h"

namespace wafersim::tests {

using models::MeshDriver;

namespace {

std::vector<const memoryx::CallStream*> streams_of(const models::WaferPlan& plan) {
  std::vector<const memoryx::CallStream*> streams;
  for (const models::KernelCall& call : plan.calls) streams.push_back(&call.stream);
  return streams;
}

}  // namespace

PureWafer::PureWafer(const models::MachineSpec& machine, const models::WaferPlan& plan, memoryx::ParameterStore store,
                     const memoryx::TrainingSpec& training, const models::MeshOptions& options, Stepping stepping)
    : plan_(plan),
      options_(options),
      timing_(memoryx::make_link_timing(machine.io, machine.core.clock, plan.height)),
      memory_(machine.memoryx, machine.core.clock),
      memory_x_(machine.memoryx, machine.core.clock, training, std::move(store), streams_of(plan), timing_, memory_, plan.micro_batches),
      reader_(streams_of(plan), timing_, plan.micro_batches, 0, memory_x_.collector()),
      in_(timing_, memoryx::edge_queue_words(machine.io, timing_, plan.edge_queue_words), memory_x_.streamer()),
      out_(timing_, memoryx::edge_queue_words(machine.io, timing_, plan.edge_queue_words), reader_),
      ports_(in_, out_),
      mesh_(plan, machine.fabric, machine.core, options, &ports_),
      counters_(plan.width, plan.height),
      stepping_(stepping) {}

std::vector<models::Block> PureWafer::blocks() const {
  std::vector<models::Block> all;
  for (const fabric::Rectangle& place : models::cut_mesh(plan_.width, plan_.height, options_.block_width, options_.block_height))
    all.push_back(*mesh_.driver().at({place.x, place.y}).block);
  return all;
}

void PureWafer::step_parts() {
  in_.step(now_);
  out_.step(now_);
  if (now_ == stepped_) return;  // a step ended here and the next begins: the mesh's cycle is over
  mesh_.driver().step(now_);
  stepped_ = now_;
}

fabric::Cycle PureWafer::next_event() const {
  const fabric::Cycle room = ports_.refused() && out_.last_start() == now_ ? now_ + 1 : MeshDriver::never;
  return std::min({in_.next_event(now_), out_.next_event(now_), mesh_.driver().next_event(now_), room});
}

bool PureWafer::at_rest() const {
  const std::vector<models::Block> all = blocks();
  const bool quiet = std::all_of(all.begin(), all.end(), [](const models::Block& block) { return block.fabric->idle(); });
  return quiet && memory_x_.streamer().finished() && in_.idle();
}

models::StepResult PureWafer::run_step(const memoryx::StepBatch& batch, bool last_of_run) {
  models::StepResult step;
  step.first = now_;
  reader_.begin_step();
  memory_x_.begin_step(now_, batch);
  std::optional<memoryx::MemoryX::StepEnd> end;
  for (fabric::Cycle wafer = now_, next = now_; next != MeshDriver::never;) {
    now_ = next;
    if (wafer <= now_ || stepping_ == Stepping::every_cycle) step_parts();
    if (!end && memory_x_.gradients_complete()) {
      step.gradients = now_;
      end = memory_x_.finish_step(now_);
    }
    memory_x_.advance(now_);
    wafer = next_event();
    if (wafer == MeshDriver::never && end && at_rest()) break;
    next = std::min(wafer, memory_x_.next_event());
    if (next != MeshDriver::never && stepping_ == Stepping::every_cycle) next = now_ + 1;
  }
  if (!end || !at_rest())
    throw sim::Error(sim::ErrorCategory::stall, models::stall_report(plan_, mesh_.driver(), in_, timing_, reader_, now_));
  step.at_rest = now_;
  for (fabric::Cycle next = memory_x_.next_event(); last_of_run && next != MeshDriver::never; next = memory_x_.next_event())
    memory_x_.advance(next);
  while (const auto done = memory_x_.next_updates()) {
    step.updates.push_back({steps_ - done->step, done->begin, done->end});
    if (last_of_run) now_ = std::max(now_, done->end);
  }
  ++steps_;
  step.loss = end->loss;
  step.gradient_norm = end->update.gradient_norm;
  step.lr = end->update.lr;
  step.loss_scale = end->update.loss_scale;
  step.skipped = end->update.skipped;
  step.last = now_;
  step.statistics = counters_.take(step.at_rest, blocks(), in_, out_, timing_.channels());
  step.statistics.in_spans = in_.take_spans();
  step.statistics.out_spans = reader_.spans();
  return step;
}

}  // namespace wafersim::tests
