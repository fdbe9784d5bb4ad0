#include "models/systemc/swarm_node.h"

#include <algorithm>

namespace wafersim::models {

SwarmNode::SwarmNode(const sc_core::sc_module_name& name, int child_count, int systems, int place)
    : sc_core::sc_module(name),
      down("down"),
      up("up"),
      children("children"),
      parent("parent"),
      children_(child_count),
      systems_(systems),
      place_(place),
      taken_(child_count),
      sums_(child_count),
      changed_("changed") {
  down.bind(*this);
  up.bind(*this);
  SC_HAS_PROCESS(SwarmNode);
  SC_METHOD(pass);
  sensitive << changed_;
  dont_initialize();
}

void SwarmNode::configure(const Times* times) {
  times_ = times;
  channel_ = {};
  free_ = up_free_ = 0;
  down_spans_.clear();
  up_spans_.clear();
  call_is_over_ = true;
}

void SwarmNode::give(const StreamBlock& block) {
  waiting_.push_back(block);
  changed_.notify(sc_core::SC_ZERO_TIME);
}

void SwarmNode::taken(int child, const BlockTaken& taken) {
  taken_.add(child, taken, [](BlockTaken& all, const BlockTaken& one) {
    all.begin = std::max(all.begin, one.begin);
    all.end = std::max(all.end, one.end);
  });
  while (const std::optional<BlockTaken> all = taken_.next()) {
    channel_.leave(given_.front(), all->begin, all->end);
    given_.pop_front();
  }
  changed_.notify(sc_core::SC_ZERO_TIME);
}

// Blocks go on as far as known is when those before them leave.
void SwarmNode::pass() {
  for (; !waiting_.empty(); waiting_.pop_front()) {
    StreamBlock& block = waiting_.front();
    const Block& load = block_of(block.call);
    const double start = block.part == 0 ? load.start_words : 0, shared = start + load.words;
    const double count = shared + systems_ * load.own_words, room = times_->room * systems_;
    if (!started_) {
      if (!channel_.knows_start(count, room)) return;
      begin_ = std::max({block.supply.begin, free_, channel_.start(count, room)});
      BlockSupply& supply = block.supply;
      supply.start_cycles = std::max(supply.start_cycles, start * times_->word_cycles);
      supply.cycles = std::max(supply.cycles, shared * times_->word_cycles);
      sent_ = free_ = begin_ + supply.cycles;
      started_ = true;
      given_.push_back(count);
      supply.begin = begin_ + times_->latency;
      for (int child = 0; child < children_; ++child) children[child]->give(block);
    }
    if (!channel_.knows_end(count, room)) return;
    started_ = false;
    parent->taken(place_, {begin_, free_ = channel_.send(count, room, shared * times_->word_cycles / count, sent_)});
    if (block.part == 0) down_spans_.emplace_back();
    down_spans_.back().add(count, begin_, free_);
  }
}

void SwarmNode::report(int child, const BlockReport& report) {
  sums_.add(child, report, [](BlockReport& all, const BlockReport& one) { all.arrived = std::max(all.arrived, one.arrived); });
  while (std::optional<BlockReport> sum = sums_.next()) {
    if (call_is_over_) up_spans_.emplace_back();
    call_is_over_ = sum->last;
    if (sum->arrived > 0) {
      const double words = block_of(sum->call).out_words, cycles = words * times_->word_cycles;
      up_free_ = std::max(sum->arrived, up_free_ + cycles);
      up_spans_.back().add(words, up_free_ - cycles, up_free_);
      sum->arrived = up_free_ + times_->latency;
    }
    parent->report(place_, *sum);
  }
}

}  // namespace wafersim::models
