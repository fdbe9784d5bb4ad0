#pragma once
// Numbers of the I/O link and of MemoryX. Sources: [C] vendor text, [D] derived, [A] our assumption (listed by every run that uses it).

namespace wafersim::memoryx {

struct IoSpec {
  int channels_per_edge = 60;  // on each of the west and east edges of a whole wafer [C]
  int channel_row_pitch = 18;  // channels sit on rows 0, 18, 36, ... [C], further apart where they serve more rows than that
  double bandwidth = 150e9;  // bytes/s each way, both edges of a whole wafer together [C]; a channel has bandwidth / (2 channels_per_edge)
  double bandwidth_override = 0.0;  // bytes/s each way over the channels present; 0 = none
  double latency = 1e-6;            // s, MemoryX to edge and back [A]
  int edge_latency_cycles = 4;      // from a channel to the row a word belongs to [A]
  int edge_queue_words = 0;         // of each row of an edge, each way; 0 = as edge_queue_words() derives them [A: not public]
};

// The parameter store: DRAM and, beyond it, flash. Tensors lie in DRAM in stream order as far as it reaches.
struct MemoryXSpec {
  double capacity = 1.5e12;       // bytes, DRAM and flash [C]
  double dram_capacity = 1e12;    // bytes of it [S: up to about 1 TB a node]
  double bandwidth = 4e12;        // bytes/s of the DRAM [S]
  double dram_latency = 100e-9;   // s [A]
  double dram_page = 8192;        // bytes that are read together [A]
  double flash_bandwidth = 4e11;  // bytes/s [A]
  double flash_latency = 100e-6;  // s [A]
  double flash_page = 16384;      // bytes that are read together [A]
  double optimizer_rate = 2e11;   // parameter updates/s [A: not public]
  int prefetch_blocks = 64;  // sixteenths of a kernel that MemoryX reads ahead of the wafer; one that only its start comes for is one [A]
};

// The tree of broadcast and reduce nodes between MemoryX and several wafers.
struct SwarmXSpec {
  int fanout = 4;            // children of a node [C]
  double bandwidth = 150e9;  // bytes/s of a node, each way: the ports of one system [C]
  double latency = 1.25e-6;  // s a node [S: below 5 us over 4]
};

}  // namespace wafersim::memoryx
