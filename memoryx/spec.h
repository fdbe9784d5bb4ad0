#pragma once
// Numbers of the I/O link and of MemoryX. Sources: [C] vendor text, [D] derived, [A] our assumption (listed by every run that uses it).

namespace wafersim::memoryx {

struct IoSpec {
  int channels_per_edge = 60;  // on each of the west and east edges of a whole wafer [C]
  int channel_row_pitch = 18;  // channels sit on rows 0, 18, 36, ... [C]; a mesh has at least one an edge
  double bandwidth = 150e9;  // bytes/s each way, both edges of a whole wafer together [C]; a channel has bandwidth / (2 channels_per_edge)
  double bandwidth_override = 0.0;  // bytes/s each way over the channels present; 0 = none
  double latency = 1e-6;            // s, MemoryX to edge and back [A]
  int edge_latency_cycles = 4;      // from a channel to the row a word belongs to [A]
  int edge_queue_words = 0;         // of each row of an edge, each way; 0 = as edge_queue_words() derives them [A: not public]
};

struct MemoryXSpec {
  double capacity = 1.5e12;      // bytes [C]
  double bandwidth = 4e12;       // bytes/s of the parameter store [S]
  double optimizer_rate = 2e11;  // parameter updates/s [A: not public]
};

}  // namespace wafersim::memoryx
