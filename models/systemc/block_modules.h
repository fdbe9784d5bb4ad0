#pragma once
// A block of PEs as three modules: routers, memories, cores. Each is a shell around its pure state machine; ports are resolved once, at
// the end of elaboration, to the state behind them.

#include <optional>
#include <systemc>
#include <vector>

#include "models/mesh.h"

namespace wafersim::models {

// Access to the state behind a module.
template <class State>
class StateAccess : public virtual sc_core::sc_interface {
 public:
  virtual State& state() = 0;
};

class FabricBlockModule : public sc_core::sc_module, public StateAccess<fabric::FabricBlock> {
 public:
  FabricBlockModule(const sc_core::sc_module_name& name, const WaferPlan& plan, const fabric::FabricSpec& fabric, const CoreSpec& core,
                    const fabric::Rectangle& place);
  sc_core::sc_export<StateAccess<fabric::FabricBlock>> routers;
  fabric::FabricBlock& state() override { return block_; }

 private:
  fabric::FabricBlock block_;
};

class SramBlockModule : public sc_core::sc_module, public StateAccess<SramBlock> {
 public:
  SramBlockModule(const sc_core::sc_module_name& name, const WaferPlan& plan, const fabric::Rectangle& place);
  sc_core::sc_export<StateAccess<SramBlock>> memories;
  SramBlock& state() override { return block_; }

 private:
  SramBlock block_;
};

class CoreBlockModule : public sc_core::sc_module, public StateAccess<CoreBlock> {
 public:
  // plan, core and images outlive the module.
  CoreBlockModule(const sc_core::sc_module_name& name, const WaferPlan& plan, const CoreSpec& core,
                  const std::vector<ProgramImage>& images);
  sc_core::sc_port<StateAccess<fabric::FabricBlock>> routers;
  sc_core::sc_port<StateAccess<SramBlock>> memories;
  sc_core::sc_export<StateAccess<CoreBlock>> cores;
  // REQUIRES the end of elaboration.
  CoreBlock& state() override { return *block_; }

 private:
  void end_of_elaboration() override;

  const WaferPlan& plan_;
  const CoreSpec& spec_;
  const std::vector<ProgramImage>& images_;
  std::optional<CoreBlock> block_;
};

}  // namespace wafersim::models
