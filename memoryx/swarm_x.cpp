#include "memoryx/swarm_x.h"

#include <algorithm>

#include "sim/error.h"

namespace wafersim::memoryx {
namespace {

LinkTiming node_timing(const SwarmXSpec& spec, double clock_hz, const LinkTiming& link) {
  LinkTiming timing = link;
  set_word_cycles(timing, spec.bandwidth, 1, clock_hz);
  timing.latency_cycles = cycles_of(spec.latency, clock_hz);
  timing.edge_latency_cycles = 0;
  return timing;
}

}  // namespace

std::uint64_t words_held(const SwarmXSpec& spec, double clock_hz, const LinkTiming& link) {
  LinkTiming way = link;
  way.latency_cycles = cycles_of(spec.latency, clock_hz);
  return way.full_rate_words();
}

SwarmX::SwarmX(const SwarmXSpec& spec, double clock_hz, const LinkTiming& link, const SwarmTree& tree, InSource& weights,
               GradientSink& gradients)
    : tree_(tree) {
  sim::require_invariant(tree.systems > 1 && tree.fanout > 1, "SwarmX lies before several systems");
  const LinkTiming timing = node_timing(spec, clock_hz, link);
  const std::uint64_t held = words_held(spec, clock_hz, link);
  std::vector<int> widths;   // nodes of a level
  std::vector<int> beneath;  // systems of a child of it
  for (int width = tree.systems, systems = 1; width > 1; systems *= tree.fanout) {
    width = (width + tree.fanout - 1) / tree.fanout;
    widths.push_back(width);
    beneath.push_back(systems);
  }
  levels_.resize(widths.size());
  for (std::size_t level = widths.size(); level-- > 0;)
    for (int k = 0; k < widths[level]; ++k) {
      std::vector<SystemRange> children;
      for (int child = k * tree.fanout; child < (k + 1) * tree.fanout && child * beneath[level] < tree.systems; ++child)
        children.push_back({child * beneath[level], std::min(tree.systems, (child + 1) * beneath[level])});
      const bool root = level + 1 == widths.size();
      Node* parent = root ? nullptr : levels_[level + 1][static_cast<std::size_t>(k / tree.fanout)].get();
      const auto systems = static_cast<std::uint64_t>(children.back().last - children.front().first);
      const int capacity = static_cast<int>(std::min<std::uint64_t>(1 << 30, held * systems));
      levels_[level].push_back(std::make_unique<Node>(timing, capacity, root ? weights : parent->down.child(k % tree.fanout),
                                                      root ? gradients : parent->up.child(k % tree.fanout), children));
    }
}

bool SwarmX::step(std::uint64_t cycle) {
  bool sent = false;
  for (const auto& level : levels_)
    for (const auto& node : level) {
      sent = node->down.step(cycle) || sent;
      node->up.step(cycle);
    }
  return sent;
}

std::uint64_t SwarmX::next_event(std::uint64_t cycle) const {
  std::uint64_t next = never;
  for (const auto& level : levels_)
    for (const auto& node : level) next = std::min({next, node->down.next_event(cycle), node->up.next_event(cycle)});
  return next;
}

bool SwarmX::idle() const {
  return std::all_of(levels_.begin(), levels_.end(), [](const auto& level) {
    return std::all_of(level.begin(), level.end(), [](const auto& node) { return node->down.idle() && node->up.idle(); });
  });
}

}  // namespace wafersim::memoryx
