#include "models/port_queue.h"

namespace wafersim::models {

void PortQueue::add(LinkWords kind, double words, double places) {
  if (words <= 0) return;
  if (!waiting_.empty() && waiting_.back().kind == kind && waiting_.back().places == places) {
    waiting_.back().words += words;  // what kept the others keeps them too
    return;
  }
  waiting_.push_back({kind, words, places});
  if (waiting_.size() == 1) pass();
}

void PortQueue::use(LinkWords kind, double words, double begin, double end) {
  kinds_[static_cast<std::size_t>(kind)].used.extend(words, begin, end);
  if (!waiting_.empty() && waiting_.front().kind == kind) pass();
}

// As far as known is when those before them were used.
void PortQueue::pass() {
  while (!waiting_.empty()) {
    Waiting& next = waiting_.front();
    Kind& kind = kinds_[static_cast<std::size_t>(next.kind)];
    const double known = kind.used.total() + next.places - kind.passed;
    const bool all = known + least_words >= next.words;
    pass(kind, all ? next.words : std::max(0.0, known), next.places);
    if (!all) {
      next.words -= std::max(0.0, known);
      return;
    }
    waiting_.pop_front();
  }
}

void PortQueue::pass(Kind& kind, double words, double places) {
  const double from = kind.passed - places, to = from + words;
  kind.passed += words;
  if (from < 0) queue.leave(std::min(0.0, to) - from, passed_at_, passed_at_);
  kind.used.for_each(std::max(0.0, from), to, [&](double some, double begin, double end) {
    // Those whose place was free before the word ahead of them left follow it at once.
    const double late = begin >= passed_at_ ? 0 : end <= passed_at_ ? some : some * (passed_at_ - begin) / (end - begin);
    queue.leave(late, passed_at_, passed_at_);
    passed_at_ = std::max(passed_at_, begin);
    queue.leave(some - late, passed_at_, std::max(passed_at_, end));
    passed_at_ = std::max(passed_at_, end);
  });
  kind.used.forget(to);
}

}  // namespace wafersim::models
