#pragma once
// A node of SwarmX: passes blocks on to its children as it has room for their words, and the sum of their gradients to its parent, children
// ascending, when the last of them has come. Words flow through (cut-through): a node delays a block by its latency, and blocks follow each
// other at its rate. Words of one system's own tokens pass beside it (memoryx/swarm_node.h).

#include <deque>
#include <systemc>
#include <vector>

#include "models/credit_channel.h"
#include "models/link_span.h"
#include "models/systemc/block_channel.h"
#include "models/systemc/from_children.h"

namespace wafersim::models {

class SwarmNode : public sc_core::sc_module, public BlockSink, public ReportSink {
 public:
  // systems: below the node.
  SwarmNode(const sc_core::sc_module_name& name, int children, int systems, int place);
  sc_core::sc_export<BlockSink> down;
  sc_core::sc_export<ReportSink> up;
  sc_core::sc_port<BlockSink, 0, sc_core::SC_ZERO_OR_MORE_BOUND> children;
  sc_core::sc_port<ReportSink> parent;

  // For the coming run: what a block of each call of a micro-batch takes, and what a node does.
  struct Block {
    double start_words = 0;           // more, in the first
    double words = 0, own_words = 0;  // for all systems alike; for each system
    double out_words = 0;             // of sums
  };
  struct Times {
    double latency = 0;         // cycles
    double word_cycles = 0;     // at a node's rate
    double room = 0;            // words that a node holds for each system below it, of all channels together
    std::vector<Block> blocks;  // by call
  };
  void configure(const Times* times);  // outlives the run

  // By call of the run: when its words went down, and when what came of them went up.
  const std::vector<LinkSpan>& down_spans() const { return down_spans_; }
  const std::vector<LinkSpan>& up_spans() const { return up_spans_; }

 private:
  void give(const StreamBlock& block) override;
  void taken(int child, const BlockTaken& taken) override;
  void report(int child, const BlockReport& report) override;
  void pass();
  const Block& block_of(int call) const { return times_->blocks[static_cast<std::size_t>(call) % times_->blocks.size()]; }

  int children_, systems_, place_;
  const Times* times_ = nullptr;
  CreditChannel channel_;
  std::deque<StreamBlock> waiting_;  // until their last word has a place here
  bool started_ = false;             // the first of them has been given to the children
  double begin_ = 0, sent_ = 0;      // its first word; its last, if there is room
  double free_ = 0, up_free_ = 0;
  std::vector<LinkSpan> down_spans_, up_spans_;
  bool call_is_over_ = true;  // whose reports came last
  std::deque<double> given_;  // words of the blocks that the children have not taken
  FromChildren<BlockTaken> taken_;
  FromChildren<BlockReport> sums_;
  sc_core::sc_event changed_;
};

}  // namespace wafersim::models
