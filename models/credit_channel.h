#pragma once
// A queue of limited room, into which a channel of the link sends blocks of words one after another. A word finds room when the word that
// is the queue's length before it has left; who empties the queue tells when words left. So the times of a block are known as soon as
// enough of what lies before it has left. Pure; times are wafer cycles with fractions, words are numbered from the start.

#include <algorithm>
#include <deque>

namespace wafersim::models {

// How many words have passed a point, by time: rises evenly within each piece.
class Passage {
 public:
  // `words` more pass between `begin` and `end`; begin is not before the last end. With begin = end they pass at once.
  void extend(double words, double begin, double end);
  // When word `position` has passed; 0 at or before position 0. REQUIRES position <= total().
  double time_of(double position) const;
  // When words from position `from` to `to` are through what takes each `cycles` once it has passed here, one after another.
  double followed(double from, double to, double cycles) const;
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

// Words first + 1 to first + words of those that pass through a queue, in order, and the room that they find.
struct QueuedWords {
  double first = 0, words = 0;
  double room = 0;  // a word enters when the one so many before it has left
  // Where the queue is a port with another behind it: it holds `port` of the words, and those of a group, which follow word `group`, pass
  // on only behind the last one before the group. Of these, `behind` may wait there.
  double port = 0, behind = 0, group = 0;
  double gate() const { return group - behind; }  // words that have left by then
};

class CreditQueue {
 public:
  // Whether it is known when the first of the words finds room, and when that is.
  bool knows_start(const QueuedWords& w) const { return left_.total() >= needed(w, std::min(1.0, w.words)); }
  double start(const QueuedWords& w) const { return left_.time_of(needed(w, std::min(1.0, w.words))); }
  // Whether it is known when the last of them does; when the channel, which sends one in `cycles`, is done with it: they are sent.
  bool knows_end(const QueuedWords& w) const { return left_.total() >= needed(w, w.words); }
  double send(const QueuedWords& w, double cycles);
  // How many of them have no room, as far as known is what has left.
  double blocked(const QueuedWords& w) const;

  // `words` more have left the queue, as Passage::extend.
  void leave(double words, double begin, double end) { left_.extend(words, begin, end); }

 private:
  // Words that have left when word first + place finds room.
  static double needed(const QueuedWords& w, double place) {
    const double word = w.first + place;
    return word - w.port <= w.group ? word - w.port - w.behind : std::max(word - w.room, w.gate());
  }

  Passage left_;
};

// A channel that sends into one such queue. A word starts when it is free, too.
class CreditChannel {
 public:
  bool knows_start(double words, double room) const { return queue_.knows_start({first_, words, room}); }
  double start(double words, double room) const { return std::max(sent_, queue_.start({first_, words, room})); }
  bool knows_end(double words, double room) const { return queue_.knows_end({first_, words, room}); }
  // When the last word is sent, a word in `cycles`, if the channel alone would be done at `sent`.
  double send(double words, double room, double cycles, double sent) {
    sent_ = std::max(sent, queue_.send({first_, words, room}, cycles));
    first_ += words;
    return sent_;
  }
  void leave(double words, double begin, double end) { queue_.leave(words, begin, end); }

 private:
  CreditQueue queue_;
  double first_ = 0;  // words sent so far
  double sent_ = 0;   // when the channel is free
};

}  // namespace wafersim::models
