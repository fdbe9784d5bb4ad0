#pragma once
// The I/O link for streams in blocks: when the words of a block have crossed it, channel by channel, with the link's rate and latency and
// the credits of the edge queues. Words of a block pass evenly; what a queue holds up is found from when the words before it passed.
// Pure; times are wafer cycles with fractions, words are numbered from the start.

#include <deque>
#include <optional>
#include <vector>

#include "memoryx/link_timing.h"
#include "models/credit_channel.h"
#include "models/link_span.h"
#include "models/port_queue.h"
#include "models/step_schedule.h"

namespace wafersim::models {

// When the words of a block come to a link.
struct BlockSupply {
  double begin = 0;         // the first; nothing but the link holds up the others, or
  double start_cycles = 0;  // the last word of a call's start comes as much later,
  double cycles = 0;        // the last of all
};

// Words into the wafer, block after block. A word starts when its channel is free, it has come to the link, and the queues it goes to have
// room for it.
class InFlow {
 public:
  explicit InFlow(const memoryx::LinkTiming& timing);

  // Another block, a load's words from one share of them to another, and in the first block all of what is sent ahead. The load outlives
  // it.
  void offer(const LinkLoad& load, double from, double to, const BlockSupply& supply);

  struct Block {
    double end = 0;          // the kernel is done with it
    double supply_wait = 0;  // cycles of it that the link waited for words to come and not for anything else
    LinkSpan edges[link_edges];
  };
  // A kernel uses the oldest block that none has used from `begin` on and could do with it in `cycles`. REQUIRES one that was offered.
  Block consume(double begin, double cycles);

  // From when to when words of a block went onto the link; of each block, in order, as soon as it is known.
  struct Sent {
    double begin = 0, end = 0;
  };
  std::optional<Sent> next_sent();

  double words() const { return words_; }                           // of the blocks on the link so far
  const std::vector<double>& busy_cycles() const { return busy_; }  // by channel

 private:
  struct Channel {
    double free = 0;  // when it is done with the blocks sent and, as far as it depends on the channel, with the one on the link
    // Of the last of these: its words, its cycles, and those for which the channel waited for it to be supplied.
    double words = 0, cycles = 0, waited = 0;
    std::vector<PortQueue> ports;  // one of each part
  };
  struct Coming {
    const LinkLoad* load = nullptr;
    double from = 0, to = 0;
    BlockSupply supply;
    struct Words {
      std::size_t channel, part;
      double of_a_port, ahead;  // all; of them those that are sent ahead
    };
    std::vector<Words> words;  // of the parts that have any

    double started = 0;                       // its first word
    double arrived = 0, arrived_at_once = 0;  // its last word; had it been there long ago
    double ready = 0, ready_at_once = 0;      // the last of the words that are sent first
    LinkSpan edges[link_edges];
  };

  // visit(words, queue, part) for each part that has words.
  template <class Visit>
  void for_each_part(const Coming& block, Visit&& visit);
  // What a block brings to a channel.
  struct Sending {
    double words = 0, ahead = 0, cycles = 0, free = 0;
  };

  void send_blocks();
  bool start(Coming& block);  // whether it is known when
  bool finish(Coming& block);
  void is_sent(Coming& block, const Channel& channel, double end) const;

  double word_cycles_, latency_;
  std::vector<Channel> channels_;
  std::vector<double> busy_;
  double words_ = 0;
  std::deque<Coming> coming_;   // not used yet
  std::size_t on_the_way_ = 0;  // of coming_: sent
  bool starts_ = false;         // the next of them is on the link, but not known is when it has gone
  std::deque<Sent> sent_;       // that nobody has asked for
  double last_sent_ = 0;
  std::vector<Sending> sending_;            // used in start() alone
  std::vector<Coming::Words> spare_words_;  // memory for the next block's
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
  std::vector<double> free_;                // when a channel is
  std::vector<std::vector<Passage>> sent_;  // by channel, of a port of each part
  std::vector<double> busy_;
  double words_ = 0;
};

}  // namespace wafersim::models
