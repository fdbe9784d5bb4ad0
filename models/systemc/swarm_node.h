#pragma once
// A node of SwarmX: passes blocks on to its children, and the sum of their gradients to its parent, children ascending, when the last of
// them has come. Words flow through (cut-through): a node delays a block by its latency, and blocks follow each other at its rate.

#include <deque>
#include <systemc>
#include <vector>

#include "models/systemc/block_channel.h"

namespace wafersim::models {

class SwarmNode : public sc_core::sc_module, public BlockSink, public ReportSink {
 public:
  SwarmNode(const sc_core::sc_module_name& name, int children, int place);
  sc_core::sc_export<BlockSink> down;
  sc_core::sc_export<ReportSink> up;
  sc_core::sc_port<BlockSink, 0, sc_core::SC_ZERO_OR_MORE_BOUND> children;
  sc_core::sc_port<ReportSink> parent;

  // For the coming run: cycles of a node's way, and of each call's blocks at its rate.
  struct Times {
    double latency = 0;
    std::vector<double> in_cycles, out_cycles;  // a block's, by call of a micro-batch
  };
  void configure(const Times* times);  // outlives the run

 private:
  void give(const StreamBlock& block) override;
  void report(int child, const BlockReport& report) override;

  struct Sum {
    int reported = 0;
    BlockReport latest;
  };
  int children_, place_;
  const Times* times_ = nullptr;
  double down_free_ = 0, up_free_ = 0;
  std::deque<Sum> sums_;       // of the blocks that not all children have reported, oldest first
  std::vector<int> reported_;  // by child: how many of sums_ it has reported
};

}  // namespace wafersim::models
