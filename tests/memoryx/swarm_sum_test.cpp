#include "memoryx/swarm_sum.h"

#include <algorithm>
#include <bit>
#include <gtest/gtest.h>
#include <limits>

#include "sim/error.h"
#include "sim/random.h"

namespace wafersim::memoryx {
namespace {

float sum_of(const std::vector<float>& systems, int fanout) {
  SwarmSum sum(fanout);
  for (const float value : systems) sum.add({value});
  return sum.take().front();
}

TEST(SwarmSum, AddsTheChildrenOfEachNodeAscendingAndThenTheNodes) {
  constexpr float big = 0x1p24f;  // swallows a 1, takes a 2
  EXPECT_EQ(sum_of({big, 1, 1}, 4), big);
  EXPECT_EQ(sum_of({1, 1, big}, 4), big + 2);
  EXPECT_EQ(sum_of({big, 1, 1, 1}, 2), big + 2);     // (big + 1) + (1 + 1)
  EXPECT_EQ(sum_of({big, 1, 1, 1, 1}, 4), big);      // (((big + 1) + 1) + 1) + 1
  EXPECT_EQ(sum_of({1, 1, big, 1, 2}, 2), big + 4);  // ((1 + 1) + (big + 1)) + 2
}

TEST(SwarmSum, OfOppositeInfinitiesIsTheOneNaN) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  for (const int fanout : {2, 4}) EXPECT_EQ(std::bit_cast<std::uint32_t>(sum_of({infinity, 1, -infinity}, fanout)), 0x7FC00000u);
}

// As in workloads/NUMERICS.md: node k of level l adds nodes k * F, ... of level l - 1.
float node(const std::vector<float>& systems, int fanout, int level, int number) {
  if (level == 0) return systems[static_cast<std::size_t>(number)];
  int below = static_cast<int>(systems.size());
  for (int l = 1; l < level; ++l) below = (below + fanout - 1) / fanout;
  float sum = node(systems, fanout, level - 1, number * fanout);
  for (int child = number * fanout + 1; child < std::min(below, (number + 1) * fanout); ++child)
    sum = sum + node(systems, fanout, level - 1, child);
  return sum;
}

TEST(SwarmSum, IsTheTreesForAnyNumberOfSystems) {
  std::vector<float> systems;
  for (std::uint64_t n = 1; n <= 70; ++n) {
    systems.push_back(sim::normal(1, 0, n));
    for (const int fanout : {2, 3, 4, 16}) {
      int levels = 0;
      for (int width = static_cast<int>(n); width > 1; width = (width + fanout - 1) / fanout) ++levels;
      ASSERT_EQ(sum_of(systems, fanout), node(systems, fanout, levels, 0)) << n << " systems, fanout " << fanout;
    }
  }
}

TEST(SwarmSum, AddsElementByElementAndBeginsAnew) {
  SwarmSum sum(2);
  sum.add({1, 2});
  sum.add({3, 4});
  EXPECT_EQ(sum.take(), (std::vector<float>{4, 6}));
  EXPECT_THROW(sum.take(), sim::Error);
  sum.add({5, 6});
  EXPECT_EQ(sum.take(), (std::vector<float>{5, 6}));
  sum.add({1, 2});
  EXPECT_THROW(sum.add({1}), sim::Error);
}

}  // namespace
}  // namespace wafersim::memoryx
