#pragma once
// The queue of a port of the link and what lies behind it. Words leave the queue in order: the first one for which there is no place keeps
// all that follow. Words of a color wait for their cores in places of their own, in the routers and cores on their way; a word has a place
// when the word of its kind that is as many before it as there are places has been used. So when words leave the queue is known as far as
// known is when words are used. Pure; times and positions as in credit_channel.h.

#include <array>
#include <deque>

#include "models/credit_channel.h"
#include "models/link_words.h"

namespace wafersim::models {

class PortQueue {
 public:
  // `words` more of a kind follow those before them; behind the port as many of the kind find a place.
  void add(LinkWords kind, double words, double places);
  // The cores have used `words` more of a kind, as Passage::extend.
  void use(LinkWords kind, double words, double begin, double end);

  // In front of the port: words find room in its queue.
  CreditQueue queue;

 private:
  struct Waiting {
    LinkWords kind;
    double words, places;
  };
  struct Kind {
    double passed = 0;  // words that have left the queue
    Passage used;
  };

  void pass();
  void pass(Kind& kind, double words, double places);

  std::deque<Waiting> waiting_;  // in the queue, or not sent yet
  std::array<Kind, link_words> kinds_;
  double passed_at_ = 0;  // the last word left the queue
};

}  // namespace wafersim::models
