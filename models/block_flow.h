#pragma once
// The I/O link for streams in blocks: when the words of a block have crossed it, channel by channel, with the link's rate and latency and
// the credits of the edge queues. Words of a block pass evenly; what a queue holds up is found from when the words before it passed.
// Pure; times are wafer cycles with fractions, words are numbered from the start.

#include <array>
#include <deque>
#include <vector>

#include "memoryx/link_timing.h"
#include "models/link_span.h"
#include "models/step_schedule.h"

namespace wafersim::models {

// How many words have passed a point, by time: rises evenly within each piece.
class Passage {
 public:
  // `words` more pass between `begin` and `end`; begin is not before the last end. With begin = end they pass at once.
  void extend(double words, double begin, double end);
  // When word `position` has passed; 0 at or before position 0. REQUIRES position <= total().
  double time_of(double position) const;
  double total() const { return total_; }
  double last() const { return pieces_.empty() ? 0.0 : pieces_.back().end; }
  // Questions about words up to `position` will not be asked any more.
  void forget(double position);

 private:
  struct Piece {
    double first, words, begin, end;
  };
  std::deque<Piece> pieces_;
  double total_ = 0;
};

// Words into the wafer. A word starts when its channel is free, MemoryX has it, and the queues it goes to have room for it.
class InFlow {
 public:
  explicit InFlow(const memoryx::LinkTiming& timing);

  struct Block {
    double end = 0;          // the kernel is done with it
    double supply_wait = 0;  // cycles of it that the link waited for MemoryX and not for anything else
    LinkSpan edges[link_edges];
  };
  // A kernel uses `share` of a load from `begin` on, in its `first` block all of what is sent first, and could do with it in `cycles`;
  // MemoryX has had its words since `supplied`, and sends block after block.
  Block consume(const LinkLoad& load, double share, bool first, double supplied, double begin, double cycles);

  double words() const { return words_; }
  const std::vector<double>& busy_cycles() const { return busy_; }  // by channel

 private:
  struct Channel {
    double sent = 0;                                   // when the channel is free
    std::array<Passage, port_kinds> consumption = {};  // by the wafer
  };
  double word_cycles_, latency_;
  std::vector<Channel> channels_;
  std::vector<double> busy_;
  double words_ = 0;
};

// Words out of the wafer.
class OutFlow {
 public:
  explicit OutFlow(const memoryx::LinkTiming& timing);

  struct Block {
    double produced = 0;  // the kernel has put the last word into a queue
    double arrived = 0;   // and it has arrived at the other end
    LinkSpan edges[link_edges];
  };
  // A kernel makes `share` of a load from `begin` on, in `cycles` or, when queues are full, more.
  Block produce(const LinkLoad& load, double share, double begin, double cycles);

  double words() const { return words_; }
  const std::vector<double>& busy_cycles() const { return busy_; }

 private:
  double word_cycles_, latency_;
  std::vector<double> free_;                           // when a channel is
  std::vector<std::array<Passage, port_kinds>> sent_;  // by channel
  std::vector<double> busy_;
  double words_ = 0;
};

}  // namespace wafersim::models
