#include "memoryx/link_timing.h"

#include <gtest/gtest.h>
#include <string>

#include "sim/error.h"

namespace wafersim::memoryx {
namespace {

constexpr auto west = Port::Side::west;
constexpr auto east = Port::Side::east;

std::string refusal(const IoSpec& spec, double clock) {
  try {
    make_link_timing(spec, clock, 16);
  } catch (const sim::Error& error) {
    EXPECT_EQ(error.category(), sim::ErrorCategory::config);
    return error.what();
  }
  return "";
}

TEST(LinkTiming, OfAWholeCs2IsOneHundredAndTwentiethOfItsBandwidthAChannel) {
  const LinkTiming timing = make_link_timing(IoSpec{}, 850e6, 996);
  EXPECT_EQ(timing.channels_per_edge, 56);  // rows 0, 18, ..., 990
  EXPECT_EQ(timing.word_numerator, 68u);    // 4 bytes * 850e6 / 1.25e9 = 2.72 cycles a word
  EXPECT_EQ(timing.word_denominator, 25u);
  EXPECT_EQ(timing.latency_cycles, 850u);
  EXPECT_EQ(timing.edge_latency_cycles, 4u);
}

TEST(LinkTiming, OfASmallMeshKeepsTheRateOfAChannel) {
  const LinkTiming timing = make_link_timing(IoSpec{}, 850e6, 16);
  EXPECT_EQ(timing.channels(), 2);
  EXPECT_EQ(timing.word_numerator, 68u);
  EXPECT_EQ(timing.word_denominator, 25u);
}

TEST(LinkTiming, SharesAnOverriddenBandwidthOverTheChannelsPresent) {
  IoSpec spec;
  spec.bandwidth_override = 13.6e9;  // 3.4 GB/s a channel: 4 bytes a cycle at 850 MHz
  const LinkTiming timing = make_link_timing(spec, 850e6, 36);
  EXPECT_EQ(timing.word_numerator, 1u);
  EXPECT_EQ(timing.word_denominator, 1u);
}

TEST(LinkTiming, RoundsLatencyUpToCycles) {
  IoSpec spec;
  spec.latency = 1.0000001e-6;
  EXPECT_EQ(make_link_timing(spec, 850e6, 16).latency_cycles, 851u);
  spec.latency = 0.0;
  EXPECT_EQ(make_link_timing(spec, 850e6, 16).latency_cycles, 0u);
}

TEST(LinkTiming, GivesEveryRowTheChannelAtOrBeforeIt) {
  const LinkTiming timing = make_link_timing(IoSpec{}, 850e6, 36);
  EXPECT_EQ(timing.channel_of({west, 0}), 0);
  EXPECT_EQ(timing.channel_of({west, 17}), 0);
  EXPECT_EQ(timing.channel_of({west, 18}), 1);
  EXPECT_EQ(timing.channel_of({east, 17}), 2);
  EXPECT_EQ(timing.channel_of({east, 35}), 3);
  for (int index = 0; index < timing.ports(); ++index) EXPECT_EQ(timing.port_index(timing.port(index)), index);
}

TEST(EdgeQueueWords, CoverThePlanAndTheRoundTripUnlessTheyAreGiven) {
  IoSpec spec;  // a word takes 2.72 cycles and holds its place for 850 + 4 + 2
  const LinkTiming timing = make_link_timing(spec, 850e6, 16);
  EXPECT_EQ(edge_queue_words(spec, timing, 7), 1 + 315);
  EXPECT_EQ(edge_queue_words(spec, timing, 1000), 1000);
  spec.edge_queue_words = 3;
  EXPECT_EQ(edge_queue_words(spec, timing, 1000), 3);
}

TEST(LinkTiming, NamesTheKeyOfAnUnusableNumber) {
  IoSpec spec;
  spec.bandwidth = -1.0;
  EXPECT_NE(refusal(spec, 850e6).find("io.bandwidth = -1"), std::string::npos);
  EXPECT_NE(refusal(IoSpec{}, 0.0).find("core.clock"), std::string::npos);
  spec = IoSpec{};
  spec.latency = -1e-6;
  EXPECT_NE(refusal(spec, 850e6).find("io.latency"), std::string::npos);
  spec = IoSpec{};
  spec.channel_row_pitch = 0;
  EXPECT_NE(refusal(spec, 850e6).find("io.channel_row_pitch"), std::string::npos);
  spec = IoSpec{};
  spec.bandwidth_override = 0.25;
  EXPECT_NE(refusal(spec, 850e6).find("io.bandwidth_override"), std::string::npos);
}

}  // namespace
}  // namespace wafersim::memoryx
