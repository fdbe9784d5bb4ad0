#pragma once
// What a layout needs of a PE's SRAM at least: activations by lifetime, without code, tables and most work areas. A quick no; whether a
// layout fits is for lowering to say.

#include <cstdint>
#include <string>

#include "workloads/kernels/lower.h"

namespace wafersim::workloads {

struct MemoryShortage {
  std::string name;  // of the first array for which there is no room; empty: no shortage found
  std::int64_t bytes = 0;
  std::int64_t in_use = 0;
  bool of_the_loss = false;  // smaller chunks of the vocabulary could help
};

MemoryShortage find_shortage(const LoweringSpec& spec, const TrainingGraph& graph, std::int64_t sram_bytes);

}  // namespace wafersim::workloads
