#include "models/energy.h"

namespace wafersim::models {

Energy energy_of(const EnergySpec& spec, const EnergyEvents& events) {
  constexpr double pico = 1e-12;
  Energy energy;
  energy.busy = pico * spec.busy_cycle_pj * events.busy_cycles;
  energy.idle = pico * spec.idle_cycle_pj * events.idle_cycles;
  energy.fabric = pico * spec.hop_pj * events.hops;
  energy.link = pico * spec.link_word_pj * events.link_words;
  energy.store = pico * (spec.dram_byte_pj * events.dram_bytes + spec.flash_byte_pj * events.flash_bytes);
  energy.system = spec.system_power_w * events.seconds;
  return energy;
}

}  // namespace wafersim::models
