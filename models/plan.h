#pragma once
// What a wafer executes for one training step, as a value: routes, programs, memory, and the kernel calls with their streams.
// The mapper makes it (workloads); hardware knows nothing of models beyond the names it reports.

#include <cstdint>
#include <string>
#include <vector>

#include "fabric/route.h"
#include "memoryx/stream.h"
#include "models/program.h"
#include "models/sram_lifetimes.h"

namespace wafersim::models {

// A kernel's run, once for each micro-batch of a step. Calls are numbered in the order in which they run.
struct KernelCall {
  std::string kernel;  // linear, layer_norm, attention, ...
  std::string phase;   // forward, input_gradient, weight_gradient, ...
  int layer = -1;      // -1: not of a layer
  memoryx::CallStream stream;
  double closed_form_cycles = 0;  // the mapping's own estimate; 0 where there is none
};

struct SramMap {
  struct Region {
    std::string name;
    int address = 0;
    int bytes = 0;
    bool at_peak = false;                      // held when peak_bytes were first reached
    std::vector<ArrayLifetime::Stage> stages;  // of its life; the first has all its bytes
    int until = 0;                             // its life's end, at the latest that of the allocations
  };
  std::vector<Region> regions;  // ascending, of the fullest PE class
  int peak_bytes = 0;
};

struct WaferPlan {
  int width = 0;  // of the mapped rectangle, which is all that is simulated
  int height = 0;
  fabric::RouteMap routes{1, 1};
  std::vector<Program> programs;       // by PE class
  std::vector<std::uint8_t> pe_class;  // [y * width + x]
  // What differs from PE to PE: words_per_pe 32-bit words at address pe_words_address of PE p are pe_words[p * words_per_pe ...].
  int pe_words_address = 0;
  int words_per_pe = 0;
  std::vector<std::int32_t> pe_words;
  int start_task = -1;  // activated on every PE at cycle 0; -1: none
  struct MemoryImage {
    int address = 0;
    std::vector<std::uint8_t> bytes;
  };
  std::vector<MemoryImage> memory;  // the same on every PE
  SramMap sram;
  std::vector<KernelCall> calls;  // of one micro-batch
  int micro_batches = 1;          // of a step: the calls run so many times
  int edge_queue_words = 0;       // that a port needs (memoryx::edge_queue_words)
};

}  // namespace wafersim::models
