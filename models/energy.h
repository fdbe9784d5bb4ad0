#pragma once
// Energy of a machine from what happened on it. Sources: [C] vendor text, [D] derived, [A] our assumption (listed by every run).

namespace wafersim::models {

struct EnergySpec {
  double busy_cycle_pj = 27.3;   // of a core that works: 30 mW at 1.1 GHz [D: WSE-2; others A]
  double idle_cycle_pj = 5.5;    // of one that waits: a fifth [A]
  double hop_pj = 3.2;           // a wavelet over a link between PEs: 0.1 pJ a bit [A: 0.05-0.15]
  double link_word_pj = 320;     // a word over the I/O link: 10 pJ a bit off the chip [C]
  double dram_byte_pj = 60;      // of the parameter store [A]
  double flash_byte_pj = 500;    // of the parameter store [A]
  double system_power_w = 3000;  // pumps, fans, conversion, for each system [A]
  double rated_power_w = 23000;  // peak of a system [C]
};

// Of any span of time on one system.
struct EnergyEvents {
  double seconds = 0;
  double busy_cycles = 0, idle_cycles = 0;  // of all cores of the wafer; idle: waiting ones too
  double hops = 0;                          // wavelets over links between PEs
  double link_words = 0;                    // both ways
  double dram_bytes = 0, flash_bytes = 0;   // this system's share
};

// Joules.
struct Energy {
  double busy = 0, idle = 0, fabric = 0, link = 0, store = 0, system = 0;
  double total() const { return busy + idle + fabric + link + store + system; }
};
Energy energy_of(const EnergySpec& spec, const EnergyEvents& events);

}  // namespace wafersim::models
