// Where the trainer says that a step's cycles went, and what it refuses to believe.

#include <gtest/gtest.h>
#include <numeric>

#include "sim/error.h"
#include "tools/trainer/breakdown.h"
#include "tools/trainer/step_totals.h"

namespace wafersim::tools {
namespace {

constexpr std::size_t busy = static_cast<std::size_t>(models::Activity::compute);
constexpr std::size_t waits = static_cast<std::size_t>(models::Activity::wavelet_wait);
constexpr std::size_t idle = static_cast<std::size_t>(models::Activity::idle);

models::WaferPlan two_pes() {
  models::WaferPlan plan;
  plan.width = 2;
  plan.height = 1;
  for (const auto& [kernel, layer] : {std::pair{"embedding", -1}, std::pair{"linear", 0}, std::pair{"linear", 0}}) {
    models::KernelCall call;
    call.kernel = kernel;
    call.phase = "forward";
    call.layer = layer;
    plan.calls.push_back(call);
  }
  plan.calls[0].stream.in.resize(3);
  plan.calls[2].stream.out.push_back({{}, 0, std::vector<memoryx::GradientWord>(2)});
  return plan;
}

// Its calls with these bounds.
std::vector<PlannedCall> two_pes_calls(const std::vector<double>& bounds) {
  std::vector<PlannedCall> calls;
  for (const models::KernelCall& call : two_pes().calls)
    calls.push_back({call.kernel, call.phase, call.layer, {bounds[calls.size()], 0, 0, 7, 0}, 0, {}, {}});
  return calls;
}

models::CallRecord call(fabric::Cycle start, fabric::Cycle done, std::uint64_t busy_cycles, std::uint64_t wait_cycles,
                        std::uint64_t idle_cycles) {
  models::CallRecord record;
  record.first_start = start;
  record.last_done = done;
  record.cycles[busy] = busy_cycles;
  record.cycles[waits] = wait_cycles;
  record.cycles[idle] = idle_cycles;
  record.macs = busy_cycles;
  return record;
}

// Cycles 1000 .. 1099 on two PEs: calls in 1010-1030, 1034-1044 and 1050-1060; the last gradient at 1080. Updates end at 1150.
models::StepResult step() {
  models::StepResult s;
  s.first = 1000;
  s.gradients = 1080;
  s.at_rest = 1100;
  s.last = 1150;
  s.statistics.calls = {call(1010, 1030, 10, 20, 20), call(1034, 1044, 16, 0, 12), call(1050, 1060, 20, 0, 102)};
  s.statistics.activity.assign(2 * models::activities, 0);
  for (const std::size_t pe : {std::size_t{0}, models::activities + std::size_t{0}}) {
    s.statistics.activity[pe + busy] = 23;
    s.statistics.activity[pe + waits] = 10;
    s.statistics.activity[pe + idle] = 67;
  }
  s.statistics.flits.assign(2 * fabric::directions, 5);
  s.statistics.in = {{2, 4, 0}, {1, 2, 0}};
  s.statistics.out = {{2, 4, 0}, {0, 0, 0}};
  return s;
}

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const sim::Error& error) {
    EXPECT_EQ(error.category(), sim::ErrorCategory::invariant);
    return error.what();
  }
  return "";
}

TEST(Breakdown, DividesAStepIntoItsKernelsAndWhatLiesBetween) {
  Breakdown breakdown(two_pes_calls({0, 4, 5}), 2, 1);
  breakdown.add(step());
  std::vector<std::string> names;
  std::vector<std::uint64_t> cycles;
  for (const BreakdownRow& row : breakdown.rows()) {
    names.push_back(row.kernel);
    cycles.push_back(row.cycles);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"embedding", "linear", "stream_in", "kernel_switch", "gradient_drain"}));
  EXPECT_EQ(cycles, (std::vector<std::uint64_t>{20, 20, 10, 10, 40}));
  EXPECT_EQ(breakdown.rows()[1].calls, 2);
  EXPECT_EQ(breakdown.rows()[1].layer, 0);
  EXPECT_EQ(breakdown.rows()[1].macs, 36.0);
  EXPECT_EQ(breakdown.rows()[1].bound_cycles, 9);
  EXPECT_EQ(breakdown.rows()[1].bound.weight_stream, 14);
  EXPECT_STREQ(breakdown.rows()[1].bound.by(), "weight_stream");
}

TEST(Breakdown, LosesNoCycleOfAnyPe) {
  Breakdown breakdown(two_pes_calls({0, 4, 5}), 2, 1);
  for (int s = 0; s < 3; ++s) breakdown.add(step());
  std::array<double, models::activities> sums{};
  std::uint64_t cycles = 0;
  for (const BreakdownRow& row : breakdown.rows()) {
    cycles += row.cycles;
    for (std::size_t a = 0; a < sums.size(); ++a) sums[a] += row.pe_cycles[a];
  }
  EXPECT_EQ(breakdown.steps(), 3);
  EXPECT_EQ(cycles, 3u * 100);
  EXPECT_EQ(sums[busy], 3.0 * 46);
  EXPECT_EQ(sums[waits], 3.0 * 20);
  EXPECT_EQ(sums[idle], 3.0 * 134);
}

// A thousand of these steps are beyond 64 bits.
TEST(Breakdown, AddsUpMoreOfAllPesThanSixtyFourBitsHold) {
  constexpr std::uint64_t many = 1ull << 54, steps = 2000;
  Breakdown breakdown(two_pes_calls({0, 4, 5}), 2, 1);
  StepTotals totals;
  models::StepResult s = step();
  s.at_rest = s.first + many;
  s.gradients = s.at_rest;
  s.statistics.calls[2].last_done = s.at_rest;
  s.statistics.calls[2].cycles[busy] = 2 * many - 78;  // the calls before have the rest
  s.statistics.calls[2].cycles[idle] = 0;
  s.statistics.calls[2].macs = s.statistics.hops = many;
  for (std::uint64_t n = 0; n < steps; ++n) {
    breakdown.add(s);
    totals.add(s);
  }
  const double all = static_cast<double>(steps) * static_cast<double>(many);
  EXPECT_NEAR(breakdown.rows()[1].pe_cycles[busy], 2 * all, 1e-12 * all);
  EXPECT_NEAR(breakdown.rows()[1].macs, all, 1e-12 * all);
  EXPECT_NEAR(totals.hops, all, 1e-12 * all);
}

TEST(Breakdown, ChargesTheWorkOfASwitchToTheSwitch) {
  Breakdown breakdown(two_pes_calls({0, 4, 5}), 2, 1);
  models::StepResult s = step();
  s.statistics.calls[0].cycles[idle] -= 7;
  s.statistics.calls[0].switch_cycles[busy] += 4;
  s.statistics.calls[0].switch_cycles[idle] += 3;
  breakdown.add(s);
  const BreakdownRow& embedding = breakdown.rows()[0];
  const BreakdownRow& between = breakdown.rows()[3];
  ASSERT_EQ(between.kernel, "kernel_switch");
  EXPECT_EQ(embedding.pe_cycles[busy], 10.0);
  EXPECT_EQ(embedding.pe_cycles[idle], 10.0);  // of its 2 x 20 PE cycles
  EXPECT_EQ(between.pe_cycles[busy], 4.0);
  EXPECT_EQ(between.pe_cycles[busy] + between.pe_cycles[idle], 2.0 * static_cast<double>(between.cycles));
}

TEST(Breakdown, GivesAKernelNoMoreIdleTimeThanItsOwn) {
  Breakdown breakdown(two_pes_calls({0, 4, 5}), 2, 1);
  breakdown.add(step());
  const auto& rows = breakdown.rows();
  EXPECT_EQ(rows[0].pe_cycles[idle], 2.0 * 20 - 30);
  EXPECT_EQ(rows[1].pe_cycles[idle], 2.0 * 10 - 16);  // the third call was busy all the time
  EXPECT_EQ(rows[2].pe_cycles[idle], 2.0 * 10);
  EXPECT_EQ(rows[4].pe_cycles[idle], 2.0 * 40);
  EXPECT_EQ(rows[3].pe_cycles[idle], 134.0 - 14 - 100);
}

TEST(Breakdown, RefusesCallsThatOverlapAndCyclesThatGotLost) {
  Breakdown breakdown(two_pes_calls({0, 4, 5}), 2, 1);
  models::StepResult overlapping = step();
  overlapping.statistics.calls[1].first_start = 1029;
  EXPECT_NE(refusal([&] { breakdown.add(overlapping); }).find("follow one another"), std::string::npos);
  models::StepResult lost = step();
  --lost.statistics.calls[2].cycles[idle];
  EXPECT_NE(refusal([&] { breakdown.add(lost); }).find("add up"), std::string::npos);
  models::StepResult missing = step();
  missing.statistics.calls.pop_back();
  EXPECT_NE(refusal([&] { breakdown.add(missing); }).find("every kernel call"), std::string::npos);
}

TEST(Breakdown, RefusesACallThatIsFasterThanItsBound) {
  Breakdown breakdown(two_pes_calls({0, 10.5, 5}), 2, 1);
  EXPECT_NE(refusal([&] { breakdown.add(step()); }).find("faster than its bound"), std::string::npos);
}

TEST(StepTotals, AddsUpTheSteps) {
  StepTotals totals;
  totals.add(step());
  totals.add(step());
  EXPECT_EQ(totals.steps, 2);
  EXPECT_EQ(totals.cycles, 200u);
  EXPECT_EQ(totals.activity[busy], 46u);
  EXPECT_EQ(totals.flits[7], 10u);
  EXPECT_EQ(totals.in[0].words, 4u);
  EXPECT_EQ(totals.out[0].busy_cycles, 8u);
}

TEST(CheckStep, RefusesWhatNoStepCanDo) {
  const models::WaferPlan plan = two_pes();
  EXPECT_EQ(refusal([&] { check_step(plan, step(), 2.0); }), "");
  const auto broken = [&](const std::function<void(models::StepStatistics&)>& change) {
    models::StepResult s = step();
    change(s.statistics);
    return refusal([&] { check_step(plan, s, 2.0); });
  };
  EXPECT_NE(broken([](auto& s) { ++s.activity[models::activities + idle]; }).find("add up"), std::string::npos);
  EXPECT_NE(broken([](auto& s) { s.flits[3] = 101; }).find("fabric link"), std::string::npos);
  EXPECT_NE(broken([](auto& s) { s.in[1].busy_cycles = 101; }).find("all the time"), std::string::npos);
  EXPECT_NE(broken([](auto& s) { s.in[1].words = 0; }).find("every word"), std::string::npos);
  EXPECT_NE(broken([](auto& s) { s.out[1].words = 1; }).find("every word"), std::string::npos);
  EXPECT_NE(broken([](auto& s) { s.calls[0].macs = 401; }).find("peak rate"), std::string::npos);
}

}  // namespace
}  // namespace wafersim::tools
