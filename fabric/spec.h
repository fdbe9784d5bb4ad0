#pragma once
// The fabric's numbers. Sources: [C] vendor text, [A] our assumption (listed by every run that uses it).

namespace wafersim::fabric {

struct FabricSpec {
  int width = 757;             // PEs, west to east [C]
  int height = 996;            // PEs, north to south [C]
  int hop_cycles = 1;          // router to neighbouring router [C]
  int ramp_cycles = 2;         // router to core and core to router, each way [C]
  int router_queue_words = 4;  // per color and router [A: not public]
};

}  // namespace wafersim::fabric
