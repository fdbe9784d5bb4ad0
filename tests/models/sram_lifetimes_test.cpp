#include "models/sram_lifetimes.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>
#include <vector>

#include "models/sram_allocator.h"
#include "sim/error.h"

namespace wafersim::models {
namespace {

constexpr int always = 1000;

TEST(SramLifetimes, MostLiveBytesCountShrunkArraysByWhatIsLeft) {
  EXPECT_EQ(most_live_bytes({{0, {{0, 64}, {2, 16}}, 4}, {0, {{1, 8}}, 3}, {0, {{2, 40}}, 3}}), 72);
}

TEST(SramLifetimes, WhatLivesLongestLiesLowestWhoeverComesFirst) {
  const std::vector<ArrayLifetime> arrays = {{0, {{0, 32}}, 2}, {0, {{1, 16}}, always}, {0, {{1, 8}}, 4}};
  EXPECT_EQ(place_by_lifetime(arrays), (std::vector<int>{24, 0, 16}));
}

TEST(SramLifetimes, AnArrayBeginsWhereAnotherHasShrunk) {
  const std::vector<ArrayLifetime> arrays = {{0, {{0, 64}, {5, 16}}, always}, {0, {{6, 48}}, 9}, {4, {{4, 8}}, 6}};
  EXPECT_EQ(place_by_lifetime(arrays), (std::vector<int>{0, 16, 68}));
}

TEST(SramLifetimes, ArraysThatLiveAtATimeNeverOverlapAndKeepTheirPhase) {
  std::mt19937 random(5);
  const auto draw = [&](int count) { return static_cast<int>(random() % static_cast<unsigned>(count)); };
  for (int set = 0; set < 50; ++set) {
    std::vector<ArrayLifetime> arrays;
    for (int n = 0; n < 40; ++n) {
      const int from = draw(100), bytes = 1 + draw(64);
      ArrayLifetime array{4 * draw(2), {{from, bytes}}, from + 2 + draw(30)};
      if (draw(2) == 0) array.stages.push_back({from + 1, (bytes + 1) / 2});
      arrays.push_back(array);
    }
    const std::vector<int> addresses = place_by_lifetime(arrays);
    const auto bytes_at = [&](std::size_t n, int time) {
      int bytes = 0;
      for (const ArrayLifetime::Stage& stage : arrays[n].stages)
        if (time >= stage.from && time < arrays[n].until) bytes = stage.bytes;
      return bytes;
    };
    for (std::size_t n = 0; n < arrays.size(); ++n) {
      EXPECT_EQ(addresses[n] % 8, arrays[n].phase);
      for (std::size_t m = 0; m < n; ++m)
        for (int time = 0; time < 140; ++time) {
          if (bytes_at(n, time) == 0 || bytes_at(m, time) == 0) continue;
          EXPECT_TRUE(addresses[n] + bytes_at(n, time) <= addresses[m] || addresses[m] + bytes_at(m, time) <= addresses[n]);
        }
    }
  }
}

// Two short arrays, a long one between them, then one as large as both: first fit leaves two gaps.
int last_of_four(SramAllocator& allocator) {
  const int first = allocator.allocate("first", 16);
  allocator.allocate("kept", 16);
  const int second = allocator.allocate("second", 16);
  allocator.free(first);
  allocator.free(second);
  return allocator.allocate("both", 32);
}

TEST(SramAllocator, PlacesByLifetimeWhatFirstFitRefusesForGaps) {
  SramAllocator small(48), endless(1 << 20);
  EXPECT_THROW(last_of_four(small), sim::Error);
  EXPECT_TRUE(small.refused_for_gaps());
  last_of_four(endless);
  EXPECT_EQ(most_live_bytes(endless.lifetimes()), 48);
  SramAllocator again(48, place_by_lifetime(endless.lifetimes()));
  EXPECT_EQ(last_of_four(again), 16);
  EXPECT_EQ(again.peak_bytes(), 48);
}

TEST(SramAllocator, SaysThatNoPlacementHelpsWhereAllBytesTogetherAreTooFew) {
  SramAllocator tiny(40);
  EXPECT_THROW(last_of_four(tiny), sim::Error);
  EXPECT_FALSE(tiny.refused_for_gaps());
}

TEST(SramAllocator, RefusesAddressesOfAnotherSequenceOfCalls) {
  SramAllocator other(64, {0, 8});
  other.allocate("first", 16);
  EXPECT_THROW(other.allocate("second", 16), sim::Error);
}

}  // namespace
}  // namespace wafersim::models
