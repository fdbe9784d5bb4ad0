#include "models/systemc/swarm_node.h"

#include <algorithm>

namespace wafersim::models {

SwarmNode::SwarmNode(const sc_core::sc_module_name& name, int child_count, int place)
    : sc_core::sc_module(name),
      down("down"),
      up("up"),
      children("children"),
      parent("parent"),
      children_(child_count),
      place_(place),
      reported_(static_cast<std::size_t>(child_count)) {
  down.bind(*this);
  up.bind(*this);
}

void SwarmNode::configure(const Times* times) {
  times_ = times;
  down_free_ = up_free_ = 0;
}

void SwarmNode::give(const StreamBlock& block) {
  const std::size_t call = static_cast<std::size_t>(block.call) % times_->in_cycles.size();
  const double start = std::max(block.supplied, down_free_);
  down_free_ = start + times_->in_cycles[call];
  StreamBlock passed = block;
  passed.supplied = start + times_->latency;
  for (int child = 0; child < children_; ++child) children[child]->give(passed);
}

void SwarmNode::report(int child, const BlockReport& report) {
  int& own = reported_[static_cast<std::size_t>(child)];
  if (own == static_cast<int>(sums_.size())) sums_.emplace_back();
  Sum& sum = sums_[static_cast<std::size_t>(own++)];
  sum.latest.step = report.step;
  sum.latest.call = report.call;
  sum.latest.part = report.part;
  sum.latest.done = std::max(sum.latest.done, report.done);
  sum.latest.arrived = std::max(sum.latest.arrived, report.arrived);
  ++sum.reported;
  while (!sums_.empty() && sums_.front().reported == children_) {
    BlockReport total = sums_.front().latest;
    sums_.pop_front();
    for (int& count : reported_) --count;
    const std::size_t call = static_cast<std::size_t>(total.call) % times_->out_cycles.size();
    if (total.arrived > 0) {
      up_free_ = std::max(total.arrived, up_free_ + times_->out_cycles[call]);
      total.arrived = up_free_ + times_->latency;
    }
    parent->report(place_, total);
  }
}

}  // namespace wafersim::models
