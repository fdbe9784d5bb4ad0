#pragma once
// A queue of limited room, into which a channel of the link sends blocks of words one after another. A word finds room when the word that
// is the queue's length before it has left; who empties the queue tells when words left. So the times of a block are known as soon as
// enough of what lies before it has left. Pure; times are wafer cycles with fractions, words are numbered from the start.

#include <algorithm>
#include <span>
#include <vector>

namespace wafersim::models {

constexpr double least_words = 1e-6;  // fewer are an error of rounding

// How many words have passed a point, by time: rises evenly within each piece.
class Passage {
 public:
  // `words` more pass between `begin` and `end`; begin is not before the last end. With begin = end they pass at once.
  void extend(double words, double begin, double end);
  // When word `position` has passed; 0 at or before position 0. REQUIRES position <= total(), but for rounding.
  double time_of(double position) const;
  // When words from position `from` to `to` are through what takes each `cycles` once it has passed here, one after another.
  double followed(double from, double to, double cycles) const;
  // visit(words, begin, end) for the pieces between positions `from` and `to`, in order. REQUIRES to <= total().
  template <class Visit>
  void for_each(double from, double to, Visit&& visit) const;
  double total() const { return total_; }
  // Questions about words up to `position` will not be asked any more.
  void forget(double position);

 private:
  struct Piece {
    double first, words, begin, end;
    double time_of(double position) const { return begin + std::min(1.0, (position - first) / words) * (end - begin); }
  };
  std::span<const Piece> pieces() const { return std::span(pieces_).subspan(forgotten_); }

  std::vector<Piece> pieces_;  // those forgotten first: many passages are short, and there is one for every port
  std::size_t forgotten_ = 0;
  double total_ = 0;
};

template <class Visit>
void Passage::for_each(double from, double to, Visit&& visit) const {
  for (const Piece& piece : pieces()) {
    if (piece.first >= to) return;
    const double first = std::max(from, piece.first), last = std::min(to, piece.first + piece.words);
    if (last <= first) continue;
    const double cycles = (piece.end - piece.begin) / piece.words;
    visit(last - first, piece.begin + (first - piece.first) * cycles, piece.begin + (last - piece.first) * cycles);
  }
}

class CreditQueue {
 public:
  // The next block's `words`, and the room of the queue. Whether it is known when the first of them finds room, and when that is.
  bool knows_start(double words, double queue) const { return knows(first_ + std::min(1.0, words) - queue); }
  double start(double words, double queue) const { return left_.time_of(first_ + std::min(1.0, words) - queue); }
  // Whether it is known when the last of them does; when the channel, which sends one in `cycles`, is done with it: the block is sent.
  bool knows_end(double words, double queue) const { return knows(first_ + words - queue); }
  double send(double words, double queue, double cycles);
  // The same of the first `words` of them; nothing is sent.
  double end(double words, double queue, double cycles) const { return left_.followed(first_ - queue, first_ + words - queue, cycles); }
  // How many of them have no room, as far as known is what has left.
  double blocked(double words, double queue) const { return std::max(0.0, first_ + words - queue - left_.total()); }

  // `words` more have left the queue, as Passage::extend.
  void leave(double words, double begin, double end) { left_.extend(words, begin, end); }

 private:
  bool knows(double position) const { return left_.total() + least_words >= position; }

  double first_ = 0;  // number of the next block's first word
  Passage left_;
};

// A channel that sends into one such queue. A word starts when it is free, too.
class CreditChannel {
 public:
  bool knows_start(double words, double queue) const { return queue_.knows_start(words, queue); }
  double start(double words, double queue) const { return std::max(sent_, queue_.start(words, queue)); }
  bool knows_end(double words, double queue) const { return queue_.knows_end(words, queue); }
  // When the last word is sent, a word in `cycles`, if the channel alone would be done at `sent`.
  double send(double words, double queue, double cycles, double sent) { return sent_ = std::max(sent, queue_.send(words, queue, cycles)); }
  void leave(double words, double begin, double end) { queue_.leave(words, begin, end); }

 private:
  CreditQueue queue_;
  double sent_ = 0;  // when the channel is free
};

}  // namespace wafersim::models
