// The queue of a port and the places behind it, against its words one by one.
#include "models/port_queue.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <vector>

#include "sim/random.h"

namespace wafersim::models {
namespace {

struct Group {
  LinkWords kind;
  int words, places;
};

// When each word leaves the queue: after the one before it, and when the word of its kind that is as many before it as there are places has
// been used.
std::vector<double> leaving(const std::vector<Group>& groups, const std::vector<double>& used) {
  std::array<std::vector<double>, link_words> of_kind;
  std::vector<double> out;
  for (const Group& group : groups)
    for (int k = 0; k < group.words; ++k) {
      std::vector<double>& same = of_kind[static_cast<std::size_t>(group.kind)];
      const int before = static_cast<int>(same.size()) - group.places;
      const double place = before >= 0 ? same[static_cast<std::size_t>(before)] : 0;
      same.push_back(used[out.size()]);
      out.push_back(std::max(out.empty() ? 0 : out.back(), place));
    }
  return out;
}

TEST(PortQueue, LetsWordsOutInOrderAsTheirKindFindsPlaces) {
  std::uint64_t drawn = 0;
  const auto below = [&](int n) { return static_cast<int>(sim::uniform_below(static_cast<std::uint64_t>(n), 7, 0, drawn++)); };
  for (int trial = 0; trial < 500; ++trial) {
    const int length = 1 + below(12);
    const double cycles = 0.25 * (1 + below(12));
    std::array<int, link_words> places{};
    for (int& of : places) of = 1 + below(30);
    std::vector<Group> groups;
    for (int g = 0; g < 5; ++g) {
      const int kind = below(link_words);
      groups.push_back({static_cast<LinkWords>(kind), 1 + below(30), places[static_cast<std::size_t>(kind)]});
    }
    std::vector<double> used;
    PortQueue port;
    double at = 0;
    for (const Group& group : groups) {
      port.add(group.kind, group.words, group.places);
      for (int k = 0; k < group.words; ++k) used.push_back(at += below(6));
    }
    std::size_t word = 0;
    for (const Group& group : groups)
      for (int k = 0; k < group.words; ++k, ++word) port.use(group.kind, 1, used[word], used[word]);

    const std::vector<double> leaves = leaving(groups, used);
    const auto room = [&](std::size_t k) {
      return k < static_cast<std::size_t>(length) ? 0 : leaves[k - static_cast<std::size_t>(length)];
    };
    std::size_t first = 0;
    for (const Group& group : groups) {
      EXPECT_EQ(port.queue.start(group.words, length), room(first)) << "trial " << trial;
      double end = 0;
      for (int k = 0; k < group.words; ++k) end = std::max(end, room(first++)) + cycles;
      EXPECT_DOUBLE_EQ(std::max(port.queue.send(group.words, length, cycles), group.words * cycles), end) << "trial " << trial;
    }
  }
}

TEST(PortQueue, KnowsWhenWordsLeaveAsFarAsWordsAreUsed) {
  PortQueue port;
  port.add(LinkWords::start, 10, 8);
  port.add(LinkWords::columns, 100, 50);
  EXPECT_TRUE(port.queue.knows_end(10, 2));   // 8 have a place at once
  EXPECT_FALSE(port.queue.knows_end(11, 2));  // the ninth keeps the others
  EXPECT_EQ(port.queue.blocked(11, 2), 1);
  port.use(LinkWords::start, 10, 30, 30);
  EXPECT_TRUE(port.queue.knows_end(62, 2));
  EXPECT_FALSE(port.queue.knows_end(63, 2));
  EXPECT_EQ(port.queue.start(11, 2), 0);
  EXPECT_EQ(port.queue.send(62, 2, 1), 82);  // the eleventh leaves at 30, 52 follow
}

}  // namespace
}  // namespace wafersim::models
