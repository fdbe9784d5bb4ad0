#include "models/machine.h"

#include "sim/error.h"

namespace wafersim::models {
namespace {

MachineSpec cs1() {
  MachineSpec machine;
  machine.name = "cs1";
  machine.fabric.width = 633;            // [A]: 400,000 cores advertised
  machine.fabric.height = 633;           // [A]
  machine.io.channels_per_edge = 36;     // one every 18 rows [A]
  machine.energy.rated_power_w = 20000;  // peak [C]
  // MemoryX as CS-2's [A]
  return machine;
}

MachineSpec cs3() {
  MachineSpec machine;
  machine.name = "cs3";
  machine.fabric.width = 762;    // [C]
  machine.fabric.height = 1172;  // [C]
  machine.core.rate.half = 8;    // [C], as the others
  machine.core.rate.single = 4;
  machine.core.rate.mixed_fma = 4;
  machine.core.rate.half_max = 8;
  machine.core.rate.single_max = 4;
  machine.core.rate.convert = 4;
  machine.core.accumulator_cache_bytes = 512;                  // [C]
  machine.core.input_queue_words = {8, 8, 4, 4, 4, 4, 4, 4};   // [C]
  machine.core.output_queue_words = {8, 8, 8, 8, 8, 8, 8, 8};  // [C]
  machine.io.channels_per_edge = 62;                           // [C]
  machine.memoryx.capacity = 24e12;                            // bytes, the smallest of the CS-3 line [C]
  return machine;
}

}  // namespace

const std::vector<std::string>& machine_names() {
  static const std::vector<std::string> names = {"cs1", "cs2", "cs3"};
  return names;
}

MachineSpec machine_preset(const std::string& name) {
  if (name == "cs1") return cs1();
  if (name == "cs2") return MachineSpec{};
  sim::require_invariant(name == "cs3", "a machine preset is asked for by one of its names");
  return cs3();
}

}  // namespace wafersim::models
