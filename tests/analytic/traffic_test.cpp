// Synthetic traffic against theory. Formulas for a mesh of W x H, N = W H nodes, uniform traffic with source != destination:
//   mean hops             ((W^2 - 1) / 3W + (H^2 - 1) / 3H) N / (N - 1)          (32 x 32: 64 / 3)
//   latency without load  hops + 2 ramps
//   bisection bound       a packet crosses the middle eastward with probability p = (W/2 H) (W/2 H) / (N (N - 1)), H links carry them:
//                         load <= H / (N p) = 4 H (N - 1) / N^2                  (32 x 32: 0.1249; 4 / W = 0.125 if sources may hit
//                         themselves)

#include "fabric/traffic.h"

#include <cmath>
#include <gtest/gtest.h>

#include "sim/error.h"

namespace wafersim::fabric {
namespace {

FabricSpec mesh(int width, int height) {
  FabricSpec spec;
  spec.width = width;
  spec.height = height;
  return spec;
}

TrafficSpec traffic(TrafficPattern pattern, double load, std::int64_t cycles, std::int64_t warmup = 1000) {
  TrafficSpec spec;
  spec.pattern = pattern;
  spec.load = load;
  spec.measured_cycles = cycles;
  spec.warmup_cycles = warmup;
  return spec;
}

double mean_hops_uniform(double width, double height) {
  const double nodes = width * height;
  return ((width * width - 1) / (3 * width) + (height * height - 1) / (3 * height)) * nodes / (nodes - 1);
}

double bisection_bound(double width, double height) { return 4 * height * (width * height - 1) / (width * height * width * height); }

TEST(Traffic, UniformMeanHopsAreTwoThirdsOfTheSide) {
  EXPECT_NEAR(mean_hops_uniform(32, 32), 64.0 / 3, 1e-12);
  const TrafficStatistics result = run_traffic(mesh(32, 32), traffic(TrafficPattern::uniform, 0.05, 10'000));
  EXPECT_NEAR(result.mean_hops, 21.33, 0.05);  // 5.5e5 packets of deviation 10.7: standard error 0.014
  const TrafficStatistics oblong = run_traffic(mesh(12, 5), traffic(TrafficPattern::uniform, 0.05, 100'000));
  EXPECT_NEAR(oblong.mean_hops, mean_hops_uniform(12, 5), 0.03);
}

TEST(Traffic, AcceptsWhatIsOfferedBelowSaturation) {
  const TrafficStatistics result = run_traffic(mesh(32, 32), traffic(TrafficPattern::uniform, 0.05, 10'000));
  EXPECT_NEAR(result.offered, 0.05, 0.0005);
  EXPECT_NEAR(result.accepted, 0.05, 0.0005);
}

TEST(Traffic, LatencyWithoutLoadIsHopsAndTwoRamps) {
  const TrafficStatistics result = run_traffic(mesh(32, 32), traffic(TrafficPattern::uniform, 1e-5, 1'000'000, 0));
  EXPECT_GT(result.measured, 9'000U);
  EXPECT_GE(result.mean_latency, result.mean_hops + 4);
  EXPECT_NEAR(result.mean_latency, result.mean_hops + 4, 0.01);  // what is left are the rare encounters
}

TEST(Traffic, NeighboursTalkWithoutWaiting) {
  // Every link eastward has one user; the last column's packets go back over W - 1 links, which they share only with themselves.
  const TrafficStatistics result = run_traffic(mesh(8, 8), traffic(TrafficPattern::neighbour, 0.1, 20'000));
  EXPECT_NEAR(result.mean_hops, (7 * 1 + 7) / 8.0, 0.03);
  EXPECT_EQ(result.p50_latency, 5U);   // one hop and two ramps
  EXPECT_EQ(result.p99_latency, 11U);  // seven hops and two ramps
}

TEST(Traffic, SaturatesBelowTheBisectionBound) {
  EXPECT_NEAR(bisection_bound(32, 32), 0.125, 0.001);
  const TrafficStatistics light = run_traffic(mesh(32, 32), traffic(TrafficPattern::uniform, 0.05, 2'000));
  const TrafficStatistics heavy = run_traffic(mesh(32, 32), traffic(TrafficPattern::uniform, 0.3, 2'000));
  EXPECT_LT(heavy.accepted, bisection_bound(32, 32));
  EXPECT_GT(heavy.accepted, 0.5 * bisection_bound(32, 32));
  EXPECT_GT(heavy.mean_latency, 10 * light.mean_latency);
  EXPECT_EQ(heavy.delivered, heavy.injected) << "what waits in the source queues is delivered in the end";
}

TEST(Traffic, LatencyGrowsWithLoad) {
  double before = 0;
  for (const double load : {0.01, 0.03, 0.05, 0.07}) {
    const TrafficStatistics result = run_traffic(mesh(32, 32), traffic(TrafficPattern::uniform, load, 3'000));
    EXPECT_GT(result.mean_latency, before) << load;
    EXPECT_LE(result.p50_latency, result.p95_latency);
    EXPECT_LE(result.p95_latency, result.p99_latency);
    before = result.mean_latency;
  }
}

TEST(Traffic, TransposeAndBitComplementGoTheirExactDistances) {
  // Transpose: |x - y| twice, diagonal silent: mean 2 (W + 1) / 3. Bit complement: |W - 1 - 2x| + |H - 1 - 2y|: mean W/2 + H/2 (even
  // sides).
  const TrafficStatistics transpose = run_traffic(mesh(16, 16), traffic(TrafficPattern::transpose, 0.02, 50'000));
  EXPECT_NEAR(transpose.mean_hops, 2 * 17 / 3.0, 0.05);
  EXPECT_NEAR(transpose.offered, 0.02 * 15 / 16, 0.0002);
  const TrafficStatistics complement = run_traffic(mesh(16, 8), traffic(TrafficPattern::bit_complement, 0.02, 50'000));
  EXPECT_NEAR(complement.mean_hops, 8 + 4, 0.05);
}

TEST(Traffic, AHotspotAcceptsOneFlitACycle) {
  TrafficSpec spec = traffic(TrafficPattern::hotspot, 0.1, 5'000, 2'000);
  spec.hotspot_share = 1;
  const TrafficStatistics result = run_traffic(mesh(8, 8), spec);
  // The centre's ramp is busy in every cycle; the centre's own packets, to everybody, are the rest.
  EXPECT_NEAR(result.accepted * 64, 1 + 0.1, 0.02);
}

TEST(Traffic, EveryPatternDeliversAllItsPacketsOverAllTheirHops) {
  for (const TrafficPattern pattern : traffic_patterns()) {
    const TrafficStatistics result = run_traffic(mesh(9, 9), traffic(pattern, 0.08, 2'000, 100));
    EXPECT_GT(result.measured, 1'000U) << name(pattern);
    EXPECT_EQ(result.delivered, result.injected) << name(pattern);
    EXPECT_NEAR(result.mean_hops * static_cast<double>(result.delivered), static_cast<double>(result.flit_hops), 1e-3) << name(pattern);
    EXPECT_EQ(traffic_pattern(name(pattern)), pattern);
  }
}

TEST(Traffic, TheSeedDecidesEverything) {
  TrafficSpec spec = traffic(TrafficPattern::uniform, 0.1, 1'000, 10);
  const TrafficStatistics first = run_traffic(mesh(8, 8), spec);
  EXPECT_EQ(first, run_traffic(mesh(8, 8), spec));
  spec.seed = 2;
  EXPECT_FALSE(first == run_traffic(mesh(8, 8), spec));
}

TEST(Traffic, BirthsAreBernoulliTrials) {
  // Of every load, also those whose gaps are longer or shorter than the generator's table: the mean, and every node at load 1.
  for (const double load : {0.0007, 0.013, 0.5, 0.97}) {
    const TrafficStatistics result = run_traffic(mesh(2, 2), traffic(TrafficPattern::neighbour, load, 400'000, 0));
    const double deviation = std::sqrt(load * (1 - load) / (4 * 400'000.0));
    EXPECT_NEAR(result.offered, load, 4 * deviation) << load;
  }
  EXPECT_EQ(run_traffic(mesh(2, 2), traffic(TrafficPattern::neighbour, 1, 500, 0)).measured, 2'000U);
}

TEST(Traffic, RefusesWhatItCannotRun) {
  const auto refused = [](const FabricSpec& fabric, const TrafficSpec& spec) {
    try {
      run_traffic(fabric, spec);
    } catch (const sim::Error& error) {
      return error.category() == sim::ErrorCategory::config;
    }
    return false;
  };
  EXPECT_TRUE(refused(mesh(4, 4), traffic(TrafficPattern::uniform, 0, 100)));
  EXPECT_TRUE(refused(mesh(4, 4), traffic(TrafficPattern::uniform, 1.01, 100)));
  EXPECT_TRUE(refused(mesh(4, 4), traffic(TrafficPattern::uniform, std::nan(""), 100)));
  EXPECT_TRUE(refused(mesh(4, 4), traffic(TrafficPattern::uniform, 0.1, 0)));
  EXPECT_TRUE(refused(mesh(4, 4), traffic(TrafficPattern::uniform, 0.1, 100, -1)));
  EXPECT_TRUE(refused(mesh(4, 4), traffic(TrafficPattern::uniform, 1e-9, 100))) << "nothing would be measured";
  EXPECT_TRUE(refused(mesh(4, 5), traffic(TrafficPattern::transpose, 0.1, 100)));
  EXPECT_TRUE(refused(mesh(1, 1), traffic(TrafficPattern::uniform, 0.1, 100)));
  EXPECT_THROW(traffic_pattern("tornado"), sim::Error);
}

}  // namespace
}  // namespace wafersim::fabric
