#pragma once
// The I/O link between MemoryX and the west and east edges of a wafer (design, section 5): pure state machines, time passed in as wafer
// cycles. A channel serves `pitch` rows of one edge. It sends one 4-byte word after another at its share of the bandwidth, in exact
// arithmetic: word n of a busy period ends at start + ceil(n * word_cycles). The word is at the other end latency + edge latency cycles
// later.
//
// Contract of both directions: call step(c) at every cycle that next_event named and at every cycle at which the other side offered
// something new (a source that gained words, a push, a pop); c never decreases. Several steps at one cycle do no harm. What is popped or
// freed at cycle c can be used from c + 1, what is delivered is visible from c + 1 at the earliest: the order of calls within a cycle does
// not matter.

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "memoryx/call_span.h"
#include "memoryx/link_timing.h"
#include "memoryx/stream.h"

namespace wafersim::memoryx {

struct LinkCounters {
  std::uint64_t words = 0;                // started
  std::uint64_t busy_cycles = 0;          // whole cycles of sending, of the words started
  std::uint64_t credit_stall_cycles = 0;  // a word was there and its port had no room (words in only)
  std::uint64_t update_wait_cycles = 0;   // free, and the next word waited for a tensor's update (words in only)
  std::uint64_t store_wait_cycles = 0;    // free, and the next word was being read (words in only)

  LinkCounters& operator+=(const LinkCounters& other);
  LinkCounters& operator-=(const LinkCounters& other);
  template <class Archive>
  void serialize(Archive& archive) {
    archive(words, busy_cycles, credit_stall_cycles, update_wait_cycles, store_wait_cycles);
  }
};

struct InWord {
  Port port;
  std::uint8_t color = 0;
  std::uint32_t bits = 0;
  std::uint64_t ready_cycle = 0;  // MemoryX has it from this cycle on
  std::uint64_t step_cycle = 0;   // its step began; it may wait for ready_cycle from then on
  std::uint64_t update_wait = 0;  // of that so many cycles for updates
  int system = all_systems;       // whose word it is
  int call = 0;                   // of the step
};

// What MemoryX sends next on each channel.
class InSource {
 public:
  virtual ~InSource() = default;
  virtual const InWord* peek(int channel) = 0;             // nullptr: none now. The same word until pop.
  virtual void pop(int channel, std::uint64_t cycle) = 0;  // the word starts at `cycle`
};

// MemoryX to wafer. A word starts only when the edge queue of its port has room, words on their way counted; the words behind it wait too.
class InLink {
 public:
  InLink(const LinkTiming& timing, int edge_queue_words, InSource& source);

  void step(std::uint64_t cycle);
  // Earliest cycle after `cycle` at which the link changes by itself (a word starts or becomes visible), or never. After step(cycle).
  std::uint64_t next_event(std::uint64_t cycle) const;

  // Earliest cycle after `cycle` at which a word comes to the head of an empty edge queue, or never.
  std::uint64_t next_arrival(std::uint64_t cycle) const;

  // The word at the head of a port's edge queue, nullptr when none has arrived by `cycle`.
  const InWord* front(Port port, std::uint64_t cycle) const;
  void pop(Port port, std::uint64_t cycle);
  // Offers each port's head word, ports ascending, to take(const InWord&) -> bool; true pops it. At most one word a port.
  template <class Take>
  void deliver(std::uint64_t cycle, Take&& take);

  bool idle() const { return active_.empty(); }                   // no word on its way or waiting at an edge
  std::optional<Port> blocked(int channel) const;                 // the port whose credit a channel waited for at its last step
  LinkCounters counters(int channel, std::uint64_t cycle) const;  // up to `cycle`
  // When each call's words started since this was asked last, by channel.
  std::vector<std::vector<CallSpan>> take_spans() { return std::exchange(spans_, std::vector<std::vector<CallSpan>>(channels_.size())); }

  // Saves or restores what a new link does not know. REQUIRES idle() and that the spans have been taken.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(channels_);
    for (Edge& edge : edges_) archive(edge.credits);
  }

 private:
  struct Channel {
    ChannelClock clock;
    std::deque<std::uint64_t> arrivals;  // of words on their way
    std::uint64_t blocked_since = never;
    std::uint64_t stalled = 0;
    std::uint64_t update_wait = 0, store_wait = 0;
    template <class Archive>
    void serialize(Archive& archive) {
      archive(clock, arrivals, blocked_since, stalled, update_wait, store_wait);
    }
  };
  struct Slot {
    InWord word;
    std::uint64_t arrival;
  };
  struct Edge {
    Credits credits;
    std::deque<Slot> queue;  // on their way or arrived
  };

  void start_words(int index, std::uint64_t cycle);

  LinkTiming timing_;
  int capacity_;
  InSource& source_;
  std::vector<Channel> channels_;
  std::vector<Edge> edges_;
  std::vector<int> active_;  // ports with a non-empty queue, ascending
  std::vector<std::vector<CallSpan>> spans_;
};

// Where the words of the wafer end.
class OutSink {
 public:
  virtual ~OutSink() = default;
  virtual void arrive(Port port, std::uint8_t color, std::uint32_t bits, std::uint64_t cycle) = 0;
};

// Wafer to MemoryX. A channel sends its ports' words in order of the push cycle, rows ascending within a cycle; a word pushed at c starts
// at c + 1 at the earliest and holds its place in the port's queue until it starts.
class OutLink {
 public:
  OutLink(const LinkTiming& timing, int edge_queue_words, OutSink& sink);

  bool room(Port port, std::uint64_t cycle) const;
  // REQUIRES room(port, cycle); at most one word a port and cycle.
  void push(Port port, std::uint64_t cycle, std::uint8_t color, std::uint32_t bits);

  // Hands over the words that arrive at `cycle`, channels ascending, then starts words.
  void step(std::uint64_t cycle);
  std::uint64_t next_event(std::uint64_t cycle) const;

  bool idle() const;  // no word waiting at an edge or on its way
  // The last cycle at which a word started: its place is free from the next one on. never: none has.
  std::uint64_t last_start() const { return last_start_; }
  LinkCounters counters(int channel) const;

  // As InLink's.
  template <class Archive>
  void serialize(Archive& archive) {
    for (Channel& channel : channels_) archive(channel.clock);
    archive(edges_, last_start_);
  }

 private:
  struct Waiting {
    Port port;
    std::uint8_t color;
    std::uint32_t bits;
    std::uint64_t pushed;
  };
  struct Flying {
    Port port;
    std::uint8_t color;
    std::uint32_t bits;
    std::uint64_t arrival;
  };
  struct Channel {
    ChannelClock clock;
    std::deque<Waiting> waiting;
    std::deque<Flying> flying;
  };

  LinkTiming timing_;
  int capacity_;
  OutSink& sink_;
  std::vector<Channel> channels_;
  std::vector<Credits> edges_;
  std::uint64_t last_start_ = never;
};

template <class Take>
void InLink::deliver(std::uint64_t cycle, Take&& take) {
  for (std::size_t i = 0; i < active_.size();) {
    const int index = active_[i];
    const Slot& head = edges_[static_cast<std::size_t>(index)].queue.front();
    if (head.arrival <= cycle && take(head.word)) pop(timing_.port(index), cycle);
    if (i < active_.size() && active_[i] == index) ++i;  // pop drops a port that it emptied
  }
}

}  // namespace wafersim::memoryx
