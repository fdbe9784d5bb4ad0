#pragma once
// A wafer: its blocks, and the one process that steps them all at the mesh's next event and sleeps in between.

#include <functional>
#include <memory>
#include <vector>

#include "models/link_ports.h"
#include "models/machine.h"
#include "models/mesh.h"
#include "models/mesh_observer.h"
#include "models/systemc/block_modules.h"
#include "models/systemc/cycle_module.h"

namespace wafersim::models {

class WaferModule : public CycleModule {
 public:
  // plan, machine and ports outlive the wafer.
  WaferModule(const sc_core::sc_module_name& name, const WaferPlan& plan, const MachineSpec& machine, const MeshOptions& options,
              LinkPorts& ports, sim::Hertz clock, Pause& pause);
  sc_core::sc_port<Wakeable> link;

  // A hook that the wafer calls before every step from `cycle` on, until it returns true: for tests that inject faults. A sleeping wafer
  // is not woken for it.
  using Hook = std::function<bool(MeshDriver&)>;
  void add_hook(Cycle cycle, Hook hook);

  // REQUIRES the end of elaboration.
  MeshDriver& driver() { return *driver_; }
  std::uint8_t* sram(fabric::Coord c, int address, int bytes);  // Error(invariant) beyond what the PE uses
  std::vector<Block> blocks();
  bool routers_idle() const;  // no wavelet in any router
  int hooks_left() const { return static_cast<int>(hooks_.size()); }
  // Who is told of every cycle that is stepped; null: nobody.
  void observe(MeshObserver* observer) { observer_ = observer; }

  // Saves or restores what a new wafer does not know. REQUIRES one that is asleep.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(last_);
    for (const Modules& m : modules_) archive(m.fabric->state(), m.sram->state(), m.core->state());
  }

 private:
  struct Modules {
    std::unique_ptr<FabricBlockModule> fabric;
    std::unique_ptr<SramBlockModule> sram;
    std::unique_ptr<CoreBlockModule> core;
  };
  struct WaitingHook {
    Cycle from;
    Hook hook;
  };

  void start_of_simulation() override;
  void run(Cycle now) override;

  int width_, height_, threads_;
  LinkPorts& ports_;
  std::vector<ProgramImage> images_;
  std::vector<Modules> modules_;
  std::unique_ptr<MeshDriver> driver_;
  std::vector<WaitingHook> hooks_;
  MeshObserver* observer_ = nullptr;
  Cycle last_ = never;  // cycle of the last step
};

}  // namespace wafersim::models
