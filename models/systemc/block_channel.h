#pragma once
// What MemoryX, SwarmX and wafers tell each other of a block. Times are wafer cycles with fractions since the start of the simulation; they
// may lie ahead of SystemC's time by what the way still takes.

#include <systemc>

#include "memoryx/stream_work.h"
#include "models/block_flow.h"
#include "models/step_schedule.h"

namespace wafersim::models {

// Of a call, its words in sixteenths; a call to which nothing but its start comes, and that sends nothing, is one block.
inline int blocks_of(const LinkLoad& load) { return load.has_in || load.has_out ? memoryx::blocks_a_call : 1; }

struct StreamBlock {
  int step = 0;
  int call = 0;            // of the step, all micro-batches counted
  int part = 0;            // of the call,
  int parts = 1;           // which comes in so many
  BlockSupply supply;      // from MemoryX or the node above
  double update_wait = 0;  // of it: cycles that MemoryX waited for updates before it could read them
};

// Towards the wafers.
class BlockSink : public virtual sc_core::sc_interface {
 public:
  virtual void give(const StreamBlock& block) = 0;
};

// Towards MemoryX: a wafer has worked on a block; what it made of gradients has arrived here at `arrived` (0: it made none).
struct BlockReport {
  int step = 0, call = 0;
  bool last = false;  // of its call
  double arrived = 0;
};
// The words of a block have been taken from here, the first at `begin` and the last at `end`.
struct BlockTaken {
  double begin = 0, end = 0;
};
class ReportSink : public virtual sc_core::sc_interface {
 public:
  // Of every block, in order.
  virtual void taken(int child, const BlockTaken& taken) = 0;
  virtual void report(int child, const BlockReport& report) = 0;
};

}  // namespace wafersim::models
