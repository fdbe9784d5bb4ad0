#include "models/systemc/wafer_module.h"

#include <algorithm>
#include <string>

namespace wafersim::models {

WaferModule::WaferModule(const sc_core::sc_module_name& name, const WaferPlan& plan, const MachineSpec& machine, const MeshOptions& options,
                         LinkPorts& ports, sim::Hertz clock, Pause& pause)
    : CycleModule(name, clock, pause),
      link("link"),
      width_(plan.width),
      height_(plan.height),
      threads_(options.threads),
      ports_(ports),
      images_(make_images(plan, machine.core)) {
  for (const fabric::Rectangle& place : cut_mesh(plan.width, plan.height, options.block_width, options.block_height)) {
    const std::string block = std::to_string(place.x) + "_" + std::to_string(place.y);
    Modules m;
    m.fabric = std::make_unique<FabricBlockModule>(("fabric_" + block).c_str(), plan, machine.fabric, machine.core, place);
    m.sram = std::make_unique<SramBlockModule>(("sram_" + block).c_str(), plan, place);
    m.core = std::make_unique<CoreBlockModule>(("core_" + block).c_str(), plan, machine.core, images_);
    m.core->routers.bind(m.fabric->routers);
    m.core->memories.bind(m.sram->memories);
    modules_.push_back(std::move(m));
  }
}

void WaferModule::start_of_simulation() { driver_ = std::make_unique<MeshDriver>(width_, height_, blocks(), &ports_, threads_); }

std::vector<Block> WaferModule::blocks() {
  std::vector<Block> all;
  for (const Modules& m : modules_) all.push_back({&m.fabric->state(), &m.core->state()});
  return all;
}

bool WaferModule::routers_idle() const {
  return std::all_of(modules_.begin(), modules_.end(), [](const Modules& m) { return m.fabric->state().idle(); });
}

std::uint8_t* WaferModule::sram(fabric::Coord c, int address, int bytes) {
  const auto found =
      std::find_if(modules_.begin(), modules_.end(), [&](const Modules& m) { return m.fabric->state().place().contains(c); });
  sim::require_invariant(found != modules_.end(), "a PE that is asked for is on the wafer");
  SramBlock& sram = found->sram->state();
  sim::require_invariant(address >= 0 && bytes >= 0 && address + bytes <= sram.bytes(), "bytes that are asked for lie in the SRAM in use");
  return sram.at(found->fabric->state().index(c), address);
}

void WaferModule::add_hook(Cycle cycle, Hook hook) { hooks_.push_back({cycle, std::move(hook)}); }

void WaferModule::run(Cycle now) {
  if (now != last_) {  // a cycle is stepped once
    std::erase_if(hooks_, [&](WaitingHook& h) { return h.from <= now && h.hook(*driver_); });
    driver_->step(now);
    if (observer_ != nullptr) observer_->stepped(now, *driver_);
    last_ = now;
  }
  wake_at(driver_->next_event(now));
  if (ports_.take_changes() || ports_.refused()) link->wake_at(now);
}

}  // namespace wafersim::models
