// Broadcast and reductions against the formulas of the reference (HPDC'24): start when the first word leaves SRAM, stop when the last is
// stored. T_R = 2.
#include "workloads/kernels/collectives.h"

#include <cmath>
#include <gtest/gtest.h>

#include "models/mesh.h"

namespace wafersim::workloads {
namespace {

// A program that does nothing else: no task switch, and binding queues costs nothing.
models::CoreSpec bare_core() {
  models::CoreSpec core;
  core.task_switch_cycles = 0;
  core.scalar_cycles = 0;
  return core;
}

struct Measured {
  double cycles;
  float result;
};

// Every PE holds x + 1 in word 0 and x in the others.
Measured measure(const models::WaferPlan& plan, int words, fabric::Coord result_at) {
  models::Mesh mesh(plan, {}, bare_core(), {64, 1, 1});
  for (int x = 0; x < plan.width; ++x)
    for (int w = 0; w < words; ++w) mesh.write_float({x, 0}, collective_address, w, static_cast<float>(w == 0 ? x + 1 : x));
  const auto end = mesh.driver().run(0);
  const int issue = 1;  // the first word leaves SRAM after the instruction's issue
  return {static_cast<double>(end) - issue, mesh.read_float(result_at, collective_address, 0)};
}

void expect_close(double measured, double formula) {
  EXPECT_NEAR(measured, formula, std::max(0.02 * formula, 10.0)) << "measured " << measured << ", formula " << formula;
}

struct Case {
  int pes;
  int words;
};
class Collectives : public testing::TestWithParam<Case> {};

TEST_P(Collectives, ABroadcastTakesWordsPlusPesPlusTwoRamps) {
  const auto [pes, words] = GetParam();
  const Measured m = measure(broadcast_row(pes, words), words, {pes - 1, 0});
  expect_close(m.cycles, words + pes + 4);
  EXPECT_EQ(m.result, 1.0f);
}

TEST_P(Collectives, AChainTakesSixCyclesAPeAndOneAWord) {
  const auto [pes, words] = GetParam();
  const Measured m = measure(chain_row(pes, words), words, {pes - 1, 0});
  expect_close(m.cycles, words + 6.0 * (pes - 1));
  EXPECT_EQ(m.result, static_cast<float>(pes) * static_cast<float>(pes + 1) / 2);
}

class Star : public testing::TestWithParam<Case> {};

TEST_P(Star, IsBoundByItsRoot) {
  const auto [pes, words] = GetParam();
  const Measured m = measure(star_row(pes, words), words, {0, 0});
  expect_close(m.cycles, words * (pes - 1.0) + 5);
  EXPECT_EQ(m.result, static_cast<float>(pes) * static_cast<float>(pes + 1) / 2);
}

std::string name_of(const testing::TestParamInfo<Case>& given) {
  return std::to_string(given.param.pes) + "Pes" + std::to_string(given.param.words) + "Words";
}
INSTANTIATE_TEST_SUITE_P(Sizes, Collectives,
                         testing::Values(Case{4, 64}, Case{4, 4096}, Case{16, 256}, Case{33, 1000}, Case{128, 1024}, Case{512, 64},
                                         Case{512, 4096}),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Sizes, Star,
                         testing::Values(Case{4, 64}, Case{4, 4096}, Case{16, 256}, Case{33, 1000}, Case{128, 1024}, Case{512, 64}),
                         name_of);

TEST(PublishedMeasurement, AChainOf512PesWith4096WordsTakes7218Cycles) {
  const Measured m = measure(chain_row(512, 4096), 4096, {511, 0});
  EXPECT_NEAR(m.cycles, 7218, 72.18);
}

}  // namespace
}  // namespace wafersim::workloads
