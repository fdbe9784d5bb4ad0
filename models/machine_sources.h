#pragma once
// Who says the numbers of a machine: for every field its value, its unit and a public source, or [A], that it is an assumption of ours and
// why. The sources' names are explained in the folder's README.

#include <string>
#include <vector>

#include "models/machine.h"

namespace wafersim::models {

struct MachineField {
  std::string key;
  std::string value;     // as it is in this machine, JSON; null: io.bandwidth that no configuration has given
  std::string readable;  // the same with its unit: 850 MHz, 2 cycles
  std::string unit;      // of the plain number: Hz, cycles
  std::string text;      // who says it, or, assumed, what it is and why it is a guess
  bool assumed = false;
};

// All, in the order of their table. A number that is not the preset's of the machine's name (of a machine with a name of its
// own: that of the specs' defaults) is its user's: given, not assumed.
std::vector<MachineField> machine_fields(const MachineSpec& machine);
// Those that are assumed.
std::vector<MachineField> assumptions(const MachineSpec& machine);

}  // namespace wafersim::models
