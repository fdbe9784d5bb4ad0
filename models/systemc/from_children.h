#pragma once
// What each child of a node tells in the same order, put together: complete when the last of them has told it.

#include <algorithm>
#include <deque>
#include <optional>
#include <vector>

namespace wafersim::models {

template <class Told>
class FromChildren {
 public:
  explicit FromChildren(int children) : told_(static_cast<std::size_t>(children)) {}

  // merge(Told& all, const Told& one) adds what a child tells to what others have told.
  template <class Merge>
  void add(int child, const Told& one, Merge&& merge) {
    std::size_t& own = told_[static_cast<std::size_t>(child)];
    if (own == parts_.size())
      parts_.push_back(one);
    else
      merge(parts_[own], one);
    ++own;
  }
  // The oldest that all children have told.
  std::optional<Told> next() {
    if (std::any_of(told_.begin(), told_.end(), [](std::size_t count) { return count == 0; })) return std::nullopt;
    const Told complete = parts_.front();
    parts_.pop_front();
    for (std::size_t& count : told_) --count;
    return complete;
  }

 private:
  std::deque<Told> parts_;         // that not all have told, oldest first
  std::vector<std::size_t> told_;  // by child: how many of parts_
};

}  // namespace wafersim::models
