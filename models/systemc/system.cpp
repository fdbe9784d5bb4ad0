#include "models/system.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <systemc>

#include "models/stall_report.h"
#include "models/step_counters.h"
#include "models/systemc/kernel.h"
#include "models/systemc/link_module.h"
#include "models/systemc/memory_x_module.h"
#include "models/systemc/wafer_module.h"
#include "sim/error.h"

namespace wafersim::models {
namespace {

std::vector<const memoryx::CallStream*> streams_of(const WaferPlan& plan) {
  std::vector<const memoryx::CallStream*> streams;
  for (const KernelCall& call : plan.calls) streams.push_back(&call.stream);
  return streams;
}

const WaferPlan& checked(const WaferPlan& plan) {
  fabric::check_routes(plan.routes);
  return plan;
}

}  // namespace

struct System::Parts {
  Parts(const MachineSpec& machine_spec, const WaferPlan& wafer_plan, memoryx::ParameterStore store, const memoryx::TrainingSpec& training,
        const SystemOptions& options)
      : plan(checked(wafer_plan)),
        machine(machine_spec),
        clock(static_cast<std::uint64_t>(std::llround(machine.core.clock))),
        timing(memoryx::make_link_timing(machine.io, machine.core.clock, plan.height)),
        memory_x(machine.memoryx, machine.core.clock, training, std::move(store), streams_of(plan), timing, plan.micro_batches),
        memory_x_module("memory_x", memory_x, clock, failure),
        link("link", timing, memoryx::edge_queue_words(machine.io, timing, plan.edge_queue_words), memory_x, clock, failure),
        wafer("wafer", plan, machine, {options.block_width, options.block_height, options.threads}, link.ports(), clock, failure),
        counters(plan.width, plan.height) {
    memory_x_module.link.bind(link);
    link.memory_x.bind(memory_x_module);
    link.wafer.bind(wafer);
    wafer.link.bind(link);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);  // elaborates
    wafer.wake_at(0);
  }

  bool step_is_complete() const;

  const WaferPlan& plan;
  MachineSpec machine;
  sim::Hertz clock;
  Failure failure;
  memoryx::LinkTiming timing;
  memoryx::MemoryX memory_x;
  MemoryXModule memory_x_module;
  LinkModule link;
  WaferModule wafer;
  StepCounters counters;
  fabric::Cycle now = 0;
};

bool System::Parts::step_is_complete() const {
  if (!memory_x_module.result() || !memory_x.streamer().finished() || !link.in().idle()) return false;
  return wafer.routers_idle();
}

System::System(const MachineSpec& machine, const WaferPlan& plan, memoryx::ParameterStore store, const memoryx::TrainingSpec& training,
               const SystemOptions& options) {
  prepare_kernel(TimeResolution::femtosecond);
  parts_ = std::make_unique<Parts>(machine, plan, std::move(store), training, options);
}

System::~System() = default;

StepResult System::run_step(const memoryx::StepBatch& batch, bool last_of_run) {
  Parts& p = *parts_;
  StepResult step;
  step.first = p.now;
  p.memory_x_module.begin_step(p.now, batch);
  sc_core::sc_start();  // until nothing is left to happen
  if (p.failure.error) std::rethrow_exception(p.failure.error);
  const fabric::Cycle stopped = sim::first_cycle_at(sim::Femtoseconds(sc_core::sc_time_stamp().value()), p.clock).count();
  if (!p.step_is_complete())
    throw sim::Error(sim::ErrorCategory::stall,
                     stall_report(p.plan, p.wafer.driver(), p.link.in(), p.timing, p.memory_x.collector(), stopped));

  const MemoryXModule::Result& result = *p.memory_x_module.result();
  step.loss = result.end.loss;
  step.gradient_norm = result.end.update.gradient_norm;
  step.lr = result.end.update.lr;
  step.loss_scale = result.end.update.loss_scale;
  step.skipped = result.end.update.skipped;
  step.gradients = result.gradients_done;
  step.updates_begin = result.end.updates_begin;
  step.updates_end = result.end.updates_end;
  step.last = last_of_run ? std::max(step.updates_end, stopped) : stopped;
  step.statistics = p.counters.take(step.last, p.wafer.blocks(), p.link.in(), p.link.out(), p.timing.channels());
  step.statistics.in_spans = p.memory_x.streamer().spans();
  step.statistics.out_spans = p.memory_x.collector().spans();
  p.now = step.last;
  return step;
}

const memoryx::ParameterStore& System::store() const { return parts_->memory_x.store(); }

fabric::Cycle System::now() const { return parts_->now; }

std::vector<std::uint8_t> System::read_sram(fabric::Coord pe, int address, int bytes) const {
  const std::uint8_t* begin = parts_->wafer.sram(pe, address, bytes);
  return {begin, begin + bytes};
}

void System::write_sram(fabric::Cycle from, fabric::Coord pe, int address, std::vector<std::uint8_t> bytes) {
  std::uint8_t* target = parts_->wafer.sram(pe, address, static_cast<int>(bytes.size()));
  parts_->wafer.add_hook(from, [target, bytes = std::move(bytes)](MeshDriver&) {
    std::copy(bytes.begin(), bytes.end(), target);
    return true;
  });
}

void System::flip_wavelet(fabric::Cycle from, fabric::Coord pe, fabric::Color color, std::uint32_t bits) {
  parts_->wafer.add_hook(from, [pe, color, bits](MeshDriver& driver) {
    const MeshDriver::Place place = driver.at(pe);
    return place.block->fabric->flip_waiting(place.pe, color, bits);
  });
}

void System::drop_wavelet(fabric::Cycle from, fabric::Coord pe, fabric::Color color) {
  parts_->wafer.add_hook(from, [pe, color](MeshDriver& driver) {
    const MeshDriver::Place place = driver.at(pe);
    return place.block->fabric->drop_waiting(place.pe, color);
  });
}

int System::faults_left() const { return parts_->wafer.hooks_left(); }

}  // namespace wafersim::models
