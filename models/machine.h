#pragma once
// A whole machine as one value: the specs of its parts. The presets are the real systems as far as sources reach (reference: vendor texts
// [C]).

#include <string>
#include <vector>

#include "fabric/spec.h"
#include "memoryx/spec.h"
#include "models/core_spec.h"
#include "models/energy.h"

namespace wafersim::models {

// Columns and rows of a whole wafer that host I/O keeps for itself, and where the usable rectangle begins.
struct HostIoSpec {
  int columns = 7;       // [C: SDK examples]
  int rows = 2;          // [C]
  int first_column = 4;  // west of the rectangle [C: fabric offsets of the SDK examples]
  int first_row = 1;     // north of it [C]
};

struct MachineSpec {
  std::string name = "cs2";  // of a machine of one's own: any
  fabric::FabricSpec fabric;
  HostIoSpec host_io;
  CoreSpec core;
  SramSpec sram;
  memoryx::IoSpec io;
  memoryx::MemoryXSpec memoryx;
  memoryx::SwarmXSpec swarmx;
  EnergySpec energy;
};

// Names of the presets: cs1, cs2, cs3.
const std::vector<std::string>& machine_names();
// `name` must be one of machine_names(): a user's spelling is checked by whoever reads it.
MachineSpec machine_preset(const std::string& name);

}  // namespace wafersim::models
