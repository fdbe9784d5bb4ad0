#include "memoryx/swarm_sum.h"

#include <algorithm>
#include <utility>

#include "sim/error.h"

namespace wafersim::memoryx {
namespace {

void add_to(std::vector<float>& sum, const std::vector<float>& child) {
  sim::require_invariant(sum.size() == child.size(), "systems have as many gradients each");
  std::transform(sum.begin(), sum.end(), child.begin(), sum.begin(), add_child);
}

}  // namespace

void SwarmSum::give(std::size_t level, std::vector<float> values) {
  if (level == levels_.size()) levels_.emplace_back();
  Node& node = levels_[level];
  if (node.children == 0) {
    node.sum = std::move(values);
  } else {
    add_to(node.sum, values);
  }
  if (++node.children < fanout_) return;
  node.children = 0;
  give(level + 1, std::exchange(node.sum, {}));
}

// Of each level the node that is not complete has the one below as its last child.
std::vector<float> SwarmSum::take() {
  std::vector<float> below;
  bool any = false;
  for (Node& node : levels_) {
    if (node.children == 0) continue;
    if (any) add_to(node.sum, below);
    below = std::move(node.sum);
    any = true;
  }
  sim::require_invariant(any, "a sum is taken of at least one system");
  levels_.clear();
  return below;
}

}  // namespace wafersim::memoryx
