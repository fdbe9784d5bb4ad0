#include <algorithm>

#include "memoryx/swarm_node.h"
#include "memoryx/swarm_sum.h"
#include "sim/error.h"

namespace wafersim::memoryx {

ReduceNode::ReduceNode(const LinkTiming& node, int children, GradientSink& parent) : timing_(node), parent_(parent) {
  for (int k = 0; k < children; ++k) children_.emplace_back(*this, static_cast<std::size_t>(k));
}

void ReduceNode::take(std::size_t child, const GradientValue& value, std::uint64_t cycle) {
  if (value.system != all_systems) return send_up(value, cycle);
  const auto sequence = static_cast<std::size_t>(value.sequence);
  if (sequence >= parts_.size()) parts_.resize(sequence + 1, std::vector<std::deque<GradientValue>>(children_.size()));
  std::vector<std::deque<GradientValue>>& parts = parts_[sequence];
  parts[child].push_back(value);
  if (std::any_of(parts.begin(), parts.end(), [](const auto& words) { return words.empty(); })) return;
  GradientValue sum = parts.front().front();
  for (std::size_t k = 1; k < parts.size(); ++k) {
    const GradientValue& part = parts[k].front();
    sim::require_invariant(part.micro_batch == sum.micro_batch && part.word == sum.word, "systems send their gradients in one order");
    sum.value = add_child(sum.value, part.value);
  }
  for (std::deque<GradientValue>& words : parts) words.pop_front();
  send_up(sum, cycle);
}

// Of those that may go since the same cycle the lower sequence goes first, then the lower system, whoever came first within the cycle.
void ReduceNode::send_up(const GradientValue& value, std::uint64_t cycle) {
  auto place = waiting_.end();
  const auto before = [&](const Waiting& other) {
    return other.complete != cycle || std::pair(other.value.sequence, other.value.system) <= std::pair(value.sequence, value.system);
  };
  while (place != waiting_.begin() && !before(*std::prev(place))) --place;
  waiting_.insert(place, {value, cycle});
}

void ReduceNode::step(std::uint64_t cycle) {
  while (!flying_.empty() && flying_.front().arrival <= cycle) {
    const Flying word = flying_.front();
    sim::require_invariant(word.arrival == cycle, "a node of SwarmX is stepped at every cycle that it named");
    flying_.pop_front();
    parent_.take(word.value, cycle);
  }
  while (!waiting_.empty() && waiting_.front().complete < cycle && clock_.free_at() <= cycle) {
    const GradientValue& value = waiting_.front().value;
    const std::uint64_t sent = value.system == all_systems ? clock_.send(cycle, timing_) : cycle;
    const std::uint64_t before = flying_.empty() ? 0 : flying_.back().arrival;
    flying_.push_back({value, std::max({before, cycle + 1, sent + timing_.latency_cycles})});
    waiting_.pop_front();
  }
}

std::uint64_t ReduceNode::next_event(std::uint64_t cycle) const {
  std::uint64_t next = never;
  if (!flying_.empty()) next = std::max(flying_.front().arrival, cycle + 1);
  if (!waiting_.empty()) next = std::min(next, std::max({clock_.free_at(), waiting_.front().complete + 1, cycle + 1}));
  return next;
}

bool ReduceNode::idle() const {
  const auto empty = [](const auto& words) { return words.empty(); };
  return waiting_.empty() && flying_.empty() &&
         std::all_of(parts_.begin(), parts_.end(), [&](const auto& parts) { return std::all_of(parts.begin(), parts.end(), empty); });
}

}  // namespace wafersim::memoryx
