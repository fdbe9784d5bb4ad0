#include "models/system.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <string>
#include <systemc>

#include "models/stall_report.h"
#include "models/systemc/kernel.h"
#include "models/systemc/system_parts.h"
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

System::Wafer::Wafer(int number, const Parts& p, const MachineSpec& machine, const SystemOptions& options, memoryx::InSource& weights,
                     memoryx::GradientSink& gradients, Pause& pause)
    : reader(streams_of(p.plan), p.timing, p.plan.micro_batches, number, gradients),
      link(fmt::format("link_{}", number).c_str(), p.timing, memoryx::edge_queue_words(machine.io, p.timing, p.plan.edge_queue_words),
           weights, reader, p.clock, pause),
      wafer(fmt::format("wafer_{}", number).c_str(), p.plan, machine, {options.block_width, options.block_height, options.threads},
            link.ports(), p.clock, pause),
      counters(p.plan.width, p.plan.height) {
  link.wafer.bind(wafer);
  wafer.link.bind(link);
}

System::Parts::Parts(const MachineSpec& machine, const WaferPlan& wafer_plan, memoryx::ParameterStore store,
                     const memoryx::TrainingSpec& training, const SystemOptions& options)
    : plan(checked(wafer_plan)),
      clock(static_cast<std::uint64_t>(std::llround(machine.core.clock))),
      timing(memoryx::make_link_timing(machine.io, machine.core.clock, plan.height)),
      sockets("store", store_clock),
      dram("dram"),
      flash("flash"),
      memory_x(machine.memoryx, machine.core.clock, training, std::move(store), streams_of(plan), timing, sockets, plan.micro_batches),
      memory_x_module("memory_x", memory_x, clock, pause) {
  sockets.dram.bind(dram.socket);
  sockets.flash.bind(flash.socket);
  store_clock.start(static_cast<double>(clock.count()));
  dram.configure(memoryx::dram_times(machine.memoryx));
  flash.configure(memoryx::flash_times(machine.memoryx));
  connect(machine, options, training.systems);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);  // elaborates
}

void System::Parts::connect(const MachineSpec& machine, const SystemOptions& options, int systems) {
  if (systems == 1) {
    wafers.push_back(std::make_unique<Wafer>(0, *this, machine, options, memory_x.streamer(), memory_x.collector(), pause));
    wafers[0]->link.peer.bind(memory_x_module);
    memory_x_module.link.bind(wafers[0]->link);
    return;
  }
  swarm = std::make_unique<SwarmModule>("swarm_x", machine.swarmx, timing, systems, memory_x, clock, pause);
  swarm->memory_x.bind(memory_x_module);
  memory_x_module.link.bind(*swarm);
  for (int k = 0; k < systems; ++k) {
    wafers.push_back(std::make_unique<Wafer>(k, *this, machine, options, swarm->tree().weights(k), swarm->tree().gradients(k), pause));
    wafers.back()->link.peer.bind(*swarm);
    swarm->links.bind(wafers.back()->link);
  }
}

void System::Parts::simulate() {
  sc_core::sc_start();
  if (pause.error) std::rethrow_exception(pause.error);
}

bool System::Parts::wafers_are_at_rest() const {
  if (swarm && !swarm->asleep()) return false;
  return std::all_of(wafers.begin(), wafers.end(), [](const auto& w) { return w->link.asleep() && w->wafer.asleep(); });
}

bool System::Parts::step_is_complete() const {
  if (!memory_x_module.result() || !memory_x.streamer().finished() || (swarm && !swarm->tree().idle())) return false;
  return std::all_of(wafers.begin(), wafers.end(), [](const auto& w) { return w->link.in().idle() && w->wafer.routers_idle(); });
}

// Of the wafer that is furthest behind: the others may wait for it, since SwarmX gives all the same words.
std::string System::Parts::stall(fabric::Cycle cycle) const {
  const auto behind = std::min_element(wafers.begin(), wafers.end(),
                                       [](const auto& a, const auto& b) { return a->reader.arrived_words() < b->reader.arrived_words(); });
  const std::string which = swarm ? fmt::format("system {} of {}: ", std::distance(wafers.begin(), behind), wafers.size()) : "";
  Wafer& w = **behind;
  return which + stall_report(plan, w.wafer.driver(), w.link.in(), timing, w.reader, cycle);
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
  for (const auto& w : p.wafers) {
    if (p.steps == 0) w->wafer.wake_at(0);
    w->reader.begin_step();
  }
  p.memory_x_module.begin_step(p.now, batch);
  p.pause.is_over = [&p] { return p.wafers_are_at_rest() && p.step_is_complete(); };
  p.simulate();
  const fabric::Cycle stopped = sim::first_cycle_at(sim::Femtoseconds(sc_core::sc_time_stamp().value()), p.clock).count();
  if (!p.step_is_complete()) throw sim::Error(sim::ErrorCategory::stall, p.stall(stopped));
  step.at_rest = step.last = stopped;
  p.pause.is_over = nullptr;
  if (last_of_run) p.simulate();

  const MemoryXModule::Result& result = *p.memory_x_module.result();
  step.loss = result.end.loss;
  step.gradient_norm = result.end.update.gradient_norm;
  step.lr = result.end.update.lr;
  step.loss_scale = result.end.update.loss_scale;
  step.skipped = result.end.update.skipped;
  step.gradients = result.gradients_done;
  while (const auto done = p.memory_x.next_updates()) {
    step.updates.push_back({p.steps - done->step, done->begin, done->end});
    if (last_of_run) step.last = std::max(step.last, done->end);
  }
  std::vector<StepStatistics> counted;
  for (const auto& w : p.wafers)
    counted.push_back(w->counters.take(step.at_rest, w->wafer.blocks(), w->link.in(), w->link.out(), p.timing.channels()));
  step.statistics = std::move(counted.front());
  step.statistics.in_spans = p.wafers.front()->link.take_in_spans();
  step.statistics.out_spans = p.wafers.front()->reader.spans();
  for (std::size_t k = 1; k < p.wafers.size(); ++k)
    step.others.push_back({std::move(counted[k].calls), p.wafers[k]->link.take_in_spans(), p.wafers[k]->reader.spans()});
  if (p.swarm) {
    step.given = p.swarm->tree().take_spans();
    step.gathered = p.memory_x.collector().spans();
  }
  step.store = p.memory_x.take_log();
  p.now = step.last;
  ++p.steps;
  return step;
}

const memoryx::ParameterStore& System::store() const { return parts_->memory_x.store(); }

void System::observe(MeshObserver* observer) {
  WaferModule& wafer = parts_->wafers.front()->wafer;
  wafer.observe(observer);
  if (observer != nullptr) observer->begin(parts_->now, wafer.driver());
}

fabric::Cycle System::now() const { return parts_->now; }

std::vector<std::uint8_t> System::read_sram(fabric::Coord pe, int address, int bytes) const {
  const std::uint8_t* begin = parts_->wafers.front()->wafer.sram(pe, address, bytes);
  return {begin, begin + bytes};
}

void System::write_sram(fabric::Cycle from, fabric::Coord pe, int address, std::vector<std::uint8_t> bytes) {
  std::uint8_t* target = parts_->wafers.front()->wafer.sram(pe, address, static_cast<int>(bytes.size()));
  parts_->wafers.front()->wafer.add_hook(from, [target, bytes = std::move(bytes)](MeshDriver&) {
    std::copy(bytes.begin(), bytes.end(), target);
    return true;
  });
}

void System::flip_wavelet(fabric::Cycle from, fabric::Coord pe, fabric::Color color, std::uint32_t bits) {
  parts_->wafers.front()->wafer.add_hook(from, [pe, color, bits](MeshDriver& driver) {
    const MeshDriver::Place place = driver.at(pe);
    return place.block->fabric->flip_waiting(place.pe, color, bits);
  });
}

void System::drop_wavelet(fabric::Cycle from, fabric::Coord pe, fabric::Color color) {
  parts_->wafers.front()->wafer.add_hook(from, [pe, color](MeshDriver& driver) {
    const MeshDriver::Place place = driver.at(pe);
    return place.block->fabric->drop_waiting(place.pe, color);
  });
}

int System::faults_left() const { return parts_->wafers.front()->wafer.hooks_left(); }

}  // namespace wafersim::models
