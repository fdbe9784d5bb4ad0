// A queue behind another, against its words one by one.
#include <algorithm>
#include <gtest/gtest.h>
#include <vector>

#include "models/credit_channel.h"
#include "sim/random.h"

namespace wafersim::models {
namespace {

// A port's queue of `port` words and a place behind it, which takes a word of a group when at most `behind` are there with it. Words leave
// in order.
struct TwoQueues {
  int port = 0;
  struct Group {
    int first = 0, words = 0, behind = 0;
  };
  std::vector<Group> groups;
  std::vector<double> left;  // by word, when it leaves the place behind

  // When each word has passed from the port's queue to the place behind.
  std::vector<double> passed() const {
    std::vector<double> out;
    for (const Group& group : groups)
      for (int k = group.first; k < group.first + group.words; ++k) {
        const double place = k >= group.behind ? left[static_cast<std::size_t>(k - group.behind)] : 0;
        out.push_back(std::max(out.empty() ? 0 : out.back(), place));
      }
    return out;
  }
  // When word k finds room in the port's queue.
  double room(const std::vector<double>& passed, int k) const { return k >= port ? passed[static_cast<std::size_t>(k - port)] : 0; }
};

TEST(CreditQueue, AGroupPassesBehindTheWordsBeforeIt) {
  std::uint64_t drawn = 0;
  const auto below = [&](int n) { return static_cast<int>(sim::uniform_below(static_cast<std::uint64_t>(n), 7, 0, drawn++)); };
  for (int trial = 0; trial < 500; ++trial) {
    TwoQueues model;
    model.port = 1 + below(12);
    int words = 0;
    for (int g = 0; g < 2; ++g) {
      const int behind = 1 + below(30), count = behind + below(40);  // the first group's words do not all find place behind the port
      model.groups.push_back({words, count, behind});
      words += count;
    }
    double at = 0;
    for (int k = 0; k < words; ++k) model.left.push_back(at += below(6));
    const std::vector<double> passed = model.passed();

    CreditQueue queue;
    for (const double time : model.left) queue.leave(1, time, time);
    const double cycles = 0.25 * (1 + below(12));
    int before = 0;  // of the group before, as many may be behind the port
    for (const TwoQueues::Group& group : model.groups) {
      const QueuedWords w{
          static_cast<double>(group.first), static_cast<double>(group.words), static_cast<double>(model.port + group.behind),
          static_cast<double>(model.port),  static_cast<double>(before),      static_cast<double>(group.first)};
      EXPECT_EQ(queue.start(w), model.room(passed, group.first)) << "trial " << trial;
      double end = 0;
      for (int k = group.first; k < group.first + group.words; ++k) end = std::max(end, model.room(passed, k)) + cycles;
      EXPECT_DOUBLE_EQ(std::max(queue.send(w, cycles), group.words * cycles), end) << "trial " << trial;
      before = group.behind;
    }
  }
}

TEST(CreditQueue, CountsTheWordsForWhichThereIsNoRoom) {
  CreditQueue queue;
  const QueuedWords w{.first = 10, .words = 40, .room = 25, .port = 5, .behind = 3, .group = 10};
  EXPECT_EQ(queue.blocked(w), 40);  // words 11 to 50: none has left, 8 are in both queues
  queue.leave(6, 0, 0);
  EXPECT_EQ(queue.blocked(w), 36);  // 6 + 5 + 3 have passed or have room
  queue.leave(1, 1, 1);
  EXPECT_EQ(queue.blocked(w), 18);  // the gate is open: 7 + 25
}

}  // namespace
}  // namespace wafersim::models
