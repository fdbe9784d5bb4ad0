#include "models/systemc/block_modules.h"

namespace wafersim::models {

FabricBlockModule::FabricBlockModule(const sc_core::sc_module_name& name, const WaferPlan& plan, const fabric::FabricSpec& fabric,
                                     const CoreSpec& core, const fabric::Rectangle& place)
    : sc_core::sc_module(name), routers("routers"), block_(make_fabric_block(plan, fabric, core, place)) {
  routers.bind(*this);
}

SramBlockModule::SramBlockModule(const sc_core::sc_module_name& name, const WaferPlan& plan, const fabric::Rectangle& place)
    : sc_core::sc_module(name), memories("memories"), block_(make_sram_block(plan, place)) {
  memories.bind(*this);
}

CoreBlockModule::CoreBlockModule(const sc_core::sc_module_name& name, const WaferPlan& plan, const CoreSpec& core,
                                 const std::vector<ProgramImage>& images)
    : sc_core::sc_module(name), routers("routers"), memories("memories"), cores("cores"), plan_(plan), spec_(core), images_(images) {
  cores.bind(*this);
}

void CoreBlockModule::end_of_elaboration() { block_.emplace(make_core_block(plan_, spec_, images_, routers->state(), memories->state())); }

}  // namespace wafersim::models
