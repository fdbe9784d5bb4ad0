#pragma once
// SwarmX between MemoryX and the links of several wafers: a tree of nodes (swarm_node.h) in the shape of swarm_sum.h. Pure; contract as in
// io_link.h.

#include <cstdint>
#include <memory>
#include <vector>

#include "memoryx/spec.h"
#include "memoryx/swarm_node.h"
#include "memoryx/swarm_sum.h"

namespace wafersim::memoryx {

// Words of each channel that a node holds for every system below it: what keeps a wafer's link busy over the node's latency [A].
std::uint64_t words_held(const SwarmXSpec& spec, double clock_hz, const LinkTiming& link);

class SwarmX {
 public:
  // link: of every wafer. MemoryX's two ends outlive this. REQUIRES several systems and a fanout of at least 2.
  SwarmX(const SwarmXSpec& spec, double clock_hz, const LinkTiming& link, const SwarmTree& tree, InSource& weights,
         GradientSink& gradients);
  SwarmX(const SwarmX&) = delete;
  SwarmX& operator=(const SwarmX&) = delete;

  // What the link of a system takes its words from; where its gradients go.
  InSource& weights(int system) { return leaf(system).down.child(system % tree_.fanout); }
  GradientSink& gradients(int system) { return leaf(system).up.child(system % tree_.fanout); }

  bool step(std::uint64_t cycle);  // whether a link may have more to take
  std::uint64_t next_event(std::uint64_t cycle) const;
  bool idle() const;
  // When each call's words passed the root, towards the wafers, since this was asked last.
  std::vector<CallSpan> take_spans() {
    for (auto& level : levels_)
      for (std::unique_ptr<Node>& node : level)
        if (node != levels_.back().front()) node->down.take_spans();
    return levels_.back().front()->down.take_spans();
  }

  // Saves or restores what a new tree does not know. REQUIRES idle().
  template <class Archive>
  void serialize(Archive& archive) {
    for (auto& level : levels_)
      for (std::unique_ptr<Node>& node : level) archive(node->down, node->up);
  }

 private:
  struct Node {
    BroadcastNode down;
    ReduceNode up;
    Node(const LinkTiming& timing, int capacity, InSource& weights, GradientSink& gradients, const std::vector<SystemRange>& children)
        : down(timing, capacity, weights, children), up(timing, static_cast<int>(children.size()), gradients) {}
  };
  Node& leaf(int system) { return *levels_.front()[static_cast<std::size_t>(system / tree_.fanout)]; }

  SwarmTree tree_;
  std::vector<std::vector<std::unique_ptr<Node>>> levels_;  // the wafers' first
};

}  // namespace wafersim::memoryx
