#pragma once
// A training step as kernel calls whose times are known: what the sampled simulation executes in the place of wavelets. The calls are those
// of one micro-batch, in the order in which they run; a step runs them `micro_batches` times. Cycles are those of the wafer's clock.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "memoryx/link_timing.h"

namespace wafersim::models {

// Ports of the wafer's edges by what passes them: starts of calls into the corner, tokens along every row, parameters and their gradients
// at the rows that feed or collect a column. Each kind has edge queues of its own.
enum PortKind { corner_port, row_ports, column_ports };
inline constexpr int port_kinds = 3;

// What a kernel call puts on the channels of the I/O link, by channel (memoryx::LinkTiming).
struct LinkLoad {
  struct Part {
    double words = 0;    // 4 bytes each
    double queue = 0;    // words that the edge queues of the ports it uses hold
    bool first = false;  // they are sent ahead of the call's others, and the kernel begins when they have come
  };
  struct Channel {
    std::array<Part, port_kinds> parts;
    double words() const { return parts[corner_port].words + parts[row_ports].words + parts[column_ports].words; }
  };
  std::vector<Channel> in, out;
  double own_in = 0, own_out = 0;  // of the words of all channels: those of the system's own tokens, which no other system shares
};

// Elements of a tensor of the parameter store that a call reads or whose gradient it makes.
struct TensorUse {
  int tensor = 0;
  double elements = 0;
  double run = 0;    // consecutive elements that one sixteenth of the call reads; 0: all of it lie together
  bool own = false;  // rows of the system's own tokens: every system has its own
};

struct ScheduledCall {
  std::string kernel, phase;
  int layer = -1;
  double active_cycles = 0;  // first PE's start to last PE's completion, with weights that are always there and gradients that always leave
  double period_cycles = 0;  // to the next call's start
  int load = 0;              // of StepSchedule::loads
  std::vector<TensorUse> reads, gradients;
};

struct StepSchedule {
  memoryx::LinkTiming link;
  std::vector<LinkLoad> loads;
  std::vector<ScheduledCall> calls;
  int micro_batches = 1;
  std::vector<double> tensor_elements;  // of the whole parameter store, by tensor
};

}  // namespace wafersim::models
