#pragma once
// A node of SwarmX, word by word: pure state machines, time passed in as wafer cycles, with the contract of io_link.h. A node sends one
// word after another, each way, at its rate; a word is at the other end its latency later (cut-through: it may go on from there at once).
// Words of one system's own tokens take nothing of its rate [A: who prepares a system's data reaches it beside the nodes that broadcast
// weights and add gradients]; they keep their places among the others and take its latency.

#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "memoryx/gradient_reader.h"
#include "memoryx/io_link.h"

namespace wafersim::memoryx {

// Systems first .. last - 1.
struct SystemRange {
  int first = 0, last = 0;
  bool contains(int system) const { return first <= system && system < last; }
};

// Towards the wafers: takes its parent's words, its channels in turn, as it has room for them, and gives each to those children whose
// systems it is for; it keeps its place until the last of them has taken it.
class BroadcastNode {
 public:
  // node: rate and latency; channels as on the wafers' links. capacity: words of each channel on their way and waiting.
  BroadcastNode(const LinkTiming& node, int capacity, InSource& parent, const std::vector<SystemRange>& children);
  BroadcastNode(const BroadcastNode&) = delete;
  BroadcastNode& operator=(const BroadcastNode&) = delete;

  InSource& child(int number) { return children_[static_cast<std::size_t>(number)]; }
  bool step(std::uint64_t cycle);  // whether the children have more to take
  std::uint64_t next_event(std::uint64_t cycle) const;
  bool idle() const;  // no word on its way or waiting
  // When each call's words passed since this was asked last.
  std::vector<CallSpan> take_spans() { return std::exchange(spans_, {}); }

  // Saves or restores what a new node does not know. REQUIRES idle(); spans are forgotten.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(clock_, turn_);
    for (Channel& channel : channels_) archive(channel.first, channel.credits);
    for (Child& child : children_) archive(child);
  }

 private:
  struct Slot {
    InWord word;
    int takers;  // that have not taken it yet
  };
  struct Channel {
    std::deque<Slot> slots;
    std::uint64_t first = 0;  // number of the front slot
    Credits credits;
  };
  class Child : public InSource {
   public:
    Child(BroadcastNode& node, SystemRange systems) : node_(node), systems_(systems), next_(node.channels_.size()) {}
    const InWord* peek(int channel) override;
    void pop(int channel, std::uint64_t cycle) override;
    bool takes(const InWord& word) const { return word.system == all_systems || systems_.contains(word.system); }
    template <class Archive>
    void serialize(Archive& archive) {
      archive(next_);
    }

   private:
    BroadcastNode& node_;
    SystemRange systems_;
    std::vector<std::uint64_t> next_;  // by channel: number of the slot that is looked at next
  };

  bool send(int channel, std::uint64_t cycle);  // whether there was a word and room

  LinkTiming timing_;
  int capacity_;
  InSource& parent_;
  std::vector<Channel> channels_;
  std::deque<Child> children_;
  ChannelClock clock_;
  int turn_ = 0;  // the channel that may send next
  std::vector<CallSpan> spans_;
};

// Towards MemoryX: a word that is to be added goes up when it has come from all children, as the sum of theirs, children ascending; any
// other goes up as it comes. What waits for other children is kept without limit.
class ReduceNode {
 public:
  ReduceNode(const LinkTiming& node, int children, GradientSink& parent);
  ReduceNode(const ReduceNode&) = delete;
  ReduceNode& operator=(const ReduceNode&) = delete;

  GradientSink& child(int number) { return children_[static_cast<std::size_t>(number)]; }
  void step(std::uint64_t cycle);
  std::uint64_t next_event(std::uint64_t cycle) const;
  bool idle() const;

  // As BroadcastNode's.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(clock_);
  }

 private:
  struct Waiting {
    GradientValue value;
    std::uint64_t complete;  // since when it may go on
  };
  struct Flying {
    GradientValue value;
    std::uint64_t arrival;
  };
  class Child : public GradientSink {
   public:
    Child(ReduceNode& node, std::size_t number) : node_(node), number_(number) {}
    void take(const GradientValue& value, std::uint64_t cycle) override { node_.take(number_, value, cycle); }

   private:
    ReduceNode& node_;
    std::size_t number_;
  };

  void take(std::size_t child, const GradientValue& value, std::uint64_t cycle);
  void send_up(const GradientValue& value, std::uint64_t cycle);

  LinkTiming timing_;
  GradientSink& parent_;
  std::deque<Child> children_;
  std::vector<std::vector<std::deque<GradientValue>>> parts_;  // [sequence][child]: words that others have not sent yet
  std::deque<Waiting> waiting_;
  std::deque<Flying> flying_;
  ChannelClock clock_;
};

}  // namespace wafersim::memoryx
