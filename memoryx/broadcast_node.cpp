#include <algorithm>

#include "memoryx/swarm_node.h"
#include "sim/error.h"

namespace wafersim::memoryx {

BroadcastNode::BroadcastNode(const LinkTiming& node, int capacity, InSource& parent, const std::vector<SystemRange>& children)
    : timing_(node), capacity_(capacity), parent_(parent), channels_(static_cast<std::size_t>(node.channels())) {
  for (const SystemRange& systems : children) children_.emplace_back(*this, systems);
}

const InWord* BroadcastNode::Child::peek(int index) {
  const Channel& channel = node_.channels_[static_cast<std::size_t>(index)];
  std::uint64_t& next = next_[static_cast<std::size_t>(index)];
  next = std::max(next, channel.first);  // what it does not take may be gone
  for (; next < channel.first + channel.slots.size(); ++next) {
    const InWord& word = channel.slots[static_cast<std::size_t>(next - channel.first)].word;
    if (takes(word)) return &word;
  }
  return nullptr;
}

void BroadcastNode::Child::pop(int index, std::uint64_t cycle) {
  sim::require_invariant(peek(index) != nullptr, "a word is taken from a node of SwarmX that has one");
  Channel& channel = node_.channels_[static_cast<std::size_t>(index)];
  std::uint64_t& next = next_[static_cast<std::size_t>(index)];
  --channel.slots[static_cast<std::size_t>(next - channel.first)].takers;
  ++next;
  for (; !channel.slots.empty() && channel.slots.front().takers == 0; ++channel.first) {
    channel.slots.pop_front();
    channel.credits.give_back(cycle);
  }
}

bool BroadcastNode::send(int index, std::uint64_t cycle) {
  Channel& channel = channels_[static_cast<std::size_t>(index)];
  const InWord* word = parent_.peek(index);
  if (word == nullptr || word->ready_cycle > cycle || !channel.credits.room(cycle, capacity_)) return false;
  const std::uint64_t asked = std::max(word->step_cycle, clock_.free_at());
  const std::uint64_t waited = word->ready_cycle > asked ? word->ready_cycle - asked : 0;  // for an update
  Slot slot{*word, 0};
  parent_.pop(index, cycle);
  const std::uint64_t sent = slot.word.system == all_systems ? clock_.send(cycle, timing_) : cycle;
  count_word(spans_, slot.word.call, cycle, sent);
  slot.word.ready_cycle = std::max(cycle + 1, sent + timing_.latency_cycles);
  slot.word.step_cycle = slot.word.ready_cycle - waited;
  for (const Child& child : children_) slot.takers += child.takes(slot.word) ? 1 : 0;
  sim::require_invariant(slot.takers > 0, "a word comes to a node of SwarmX for one of its systems");
  channel.credits.take();
  channel.slots.push_back(slot);
  return true;
}

bool BroadcastNode::step(std::uint64_t cycle) {
  const int count = timing_.channels();
  bool sent = false;
  for (int without = 0; clock_.free_at() <= cycle && without < count;) {
    const std::uint64_t before = clock_.words();
    const bool word = send(turn_, cycle);
    without = word ? 0 : without + 1;
    sent = sent || word;
    if (!word || clock_.words() > before) turn_ = (turn_ + 1) % count;  // a word that takes nothing of the rate leaves its channel the turn
  }
  return sent;
}

std::uint64_t BroadcastNode::next_event(std::uint64_t cycle) const {
  std::uint64_t next = never;
  for (int index = 0; index < timing_.channels(); ++index) {
    const InWord* word = parent_.peek(index);
    if (word == nullptr) continue;
    const std::uint64_t start = std::max({clock_.free_at(), word->ready_cycle, cycle + 1});
    if (channels_[static_cast<std::size_t>(index)].credits.room(start, capacity_)) next = std::min(next, start);
  }
  return next;
}

bool BroadcastNode::idle() const {
  return std::all_of(channels_.begin(), channels_.end(), [](const Channel& channel) { return channel.slots.empty(); });
}

}  // namespace wafersim::memoryx
