// The wafer, the link and MemoryX together, on a plan written by hand. One simulation a process: run one test at a time.
#include "models/system.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <string>

#include "sim/error.h"
#include "tests/component/relay_plan.h"
#include "tests/support/pure_wafer.h"

namespace wafersim::models {
namespace {

constexpr int words = 16;  // a row
const memoryx::StepBatch batch = {{0}, {0}};

using tests::PureWafer, tests::Stepping;

memoryx::ParameterStore store_of(const WaferPlan& plan) {
  memoryx::ParameterTable table;
  table.add("w", {plan.height * words}, memoryx::ParameterEntry::Initial::zero);
  memoryx::ParameterStore store(std::move(table));
  for (std::size_t e = 0; e < store.size(); ++e) store.weights()[e] = static_cast<float>(e + 1);
  return store;
}

memoryx::TrainingSpec training() {
  memoryx::TrainingSpec spec;
  spec.update.optimizer.kind = memoryx::OptimizerSpec::Kind::sgd;
  spec.update.optimizer.lr = 0.125;
  spec.update.loss_scale = memoryx::no_loss_scale();
  return spec;
}

// One channel an edge; a word takes `word_cycles`.
MachineSpec machine(double word_cycles = 1.0, double latency_cycles = 0.0, int edge_queue_words = 8) {
  MachineSpec m;
  m.io.edge_queue_words = edge_queue_words;
  m.io.latency = latency_cycles / m.core.clock;
  m.io.bandwidth_override = 8.0 * m.core.clock / word_cycles;
  m.memoryx.bandwidth = 1e30;  // a store that comes back at once
  m.memoryx.dram_latency = 0;
  return m;
}

TEST(System, AStepMovesTheWeightsThroughTheWaferAndUpdatesThem) {
  const WaferPlan plan = relay_plan(4, 2, words);
  System system(machine(), plan, store_of(plan), training(), {});
  const StepResult step = system.run_step(batch, true);
  for (std::size_t e = 0; e < 2 * words; ++e) {
    const float w = static_cast<float>(e + 1);
    EXPECT_EQ(system.store().gradients()[e], w);
    EXPECT_EQ(system.store().weights()[e], w - 0.125f * w);
  }
  EXPECT_EQ(step.first, 0u);
  EXPECT_GT(step.gradients, 100u);
  // 32 parameters at 2e11 a second are 0.136 cycles: one.
  ASSERT_EQ(step.updates.size(), 1u);
  EXPECT_EQ(step.updates[0].begin, step.gradients);
  EXPECT_EQ(step.updates[0].end, step.gradients + 1);
  EXPECT_EQ(step.last, step.updates[0].end);
  EXPECT_EQ(system.now(), step.last);
}

TEST(System, CountsWhatItsPartsDidInTheStep) {
  const WaferPlan plan = relay_plan(4, 2, words);
  System system(machine(), plan, store_of(plan), training(), {});
  system.run_step(batch);
  const StepResult step = system.run_step(batch);
  ASSERT_EQ(step.statistics.calls.size(), 1u);
  const CallRecord& call = step.statistics.calls[0];
  EXPECT_GT(call.first_start, step.first);
  EXPECT_LT(call.last_done, step.gradients);
  std::uint64_t busy = 0;
  for (std::size_t pe = 0; pe < 8; ++pe) {
    std::uint64_t cycles = 0;
    for (std::size_t a = 0; a < activities; ++a) cycles += step.statistics.activity[pe * activities + a];
    EXPECT_EQ(cycles, step.last - step.first) << "PE " << pe;
    for (const Activity work : {Activity::compute, Activity::reduce})
      busy += step.statistics.activity[pe * activities + static_cast<std::size_t>(work)];
    EXPECT_EQ(step.statistics.flits[pe * fabric::directions + fabric::east], words + (pe % 4 == 3 ? 0u : 1u)) << "PE " << pe;
  }
  EXPECT_EQ(busy_cycles(call.cycles) + busy_cycles(call.switch_cycles), busy);
  EXPECT_EQ(busy_cycles(call.switch_cycles), 2u);  // PE (0, 0) passes the start on: issue and one word
  EXPECT_EQ(step.statistics.hops, 2u * 3 * (words + 1) + 1);
  EXPECT_EQ(step.statistics.in[0].words, 2u * words + 2);  // the start too
  EXPECT_EQ(step.statistics.out[1].words, 2u * words);
  EXPECT_EQ(step.statistics.in[0].busy_cycles, 2u * words + 2);
}

// Each row's words are a tensor of their own.
memoryx::ParameterStore store_of_rows(const WaferPlan& plan) {
  memoryx::ParameterTable table;
  for (int row = 0; row < plan.height; ++row) table.add("row" + std::to_string(row), {words}, memoryx::ParameterEntry::Initial::one);
  memoryx::ParameterStore store(std::move(table));
  store.initialise(1);
  return store;
}

MachineSpec machine_that_updates_a_row_in(int update_cycles, double word_cycles = 1.0) {
  MachineSpec m = machine(word_cycles);
  m.memoryx.optimizer_rate = words * m.core.clock / update_cycles;
  return m;
}

memoryx::TrainingSpec clipped_training() {
  memoryx::TrainingSpec spec = training();
  spec.update.clip = 1.0;
  return spec;
}

TEST(System, TheWordsOfTheNextStepLeaveAsTheirTensorsAreUpdated) {
  const WaferPlan plan = relay_plan(4, 2, words);
  System system(machine_that_updates_a_row_in(1000), plan, store_of_rows(plan), clipped_training(), {});
  const StepResult first = system.run_step(batch), second = system.run_step(batch);
  EXPECT_EQ(first.last, first.gradients);  // the wafer has been at rest for a while
  EXPECT_TRUE(first.updates.empty());
  ASSERT_EQ(second.updates.size(), 1u);
  EXPECT_EQ(second.updates[0].steps_before, 1);
  EXPECT_EQ(second.updates[0].end, first.gradients + 2000);
  EXPECT_EQ(second.first, first.last);
  // The start (two words) is read with row 0's first words, at cycle 1000, and leaves in the next one. Row 0's are gone when row 1, whose
  // words are blocks of their own, has been updated at 2000.
  const memoryx::CallSpan& sent = second.statistics.in_spans[0][0];
  EXPECT_EQ(sent.first, second.first + 1000 + 1);
  EXPECT_EQ(second.statistics.in[0].update_wait_cycles, 1000u + (2000u - 1000 - (2 + words)));
  EXPECT_EQ(sent.last, second.updates[0].end + words + 1);  // has crossed
  EXPECT_EQ(first.statistics.in[0].update_wait_cycles, 0u);
}

TEST(System, AStepIsLongerByTheUpdatesThatItsStreamWaitsFor) {
  const WaferPlan plan = relay_plan(4, 2, words);
  const auto with_updates_of = [](int cycles) { return machine_that_updates_a_row_in(cycles, 4.0); };
  PureWafer fast(with_updates_of(1), plan, store_of_rows(plan), clipped_training());
  System slow(with_updates_of(1000), plan, store_of_rows(plan), clipped_training(), {});
  for (const fabric::Cycle waits :
       // Row 1 follows the start and row 0, which the fast one's update holds up for 2 cycles; then the updates of both rows.
       {0, 2000 + 1 - (2 + 4 * (2 + words))}) {
    const StepResult a = fast.run_step(batch), b = slow.run_step(batch);
    EXPECT_EQ(b.gradients - b.first, a.gradients - a.first + waits);
  }
  const StepResult last = slow.run_step(batch, true);
  EXPECT_EQ(last.last, last.gradients + 2000);
}

TEST(System, TheCyclesOfItsStepsAddUp) {
  const WaferPlan plan = relay_plan(4, 2, words);
  System system(machine_that_updates_a_row_in(300), plan, store_of_rows(plan), clipped_training(), {});
  fabric::Cycle sum = 0;
  for (const bool last_of_run : {false, false, true}) {
    const StepResult step = system.run_step(batch, last_of_run);
    EXPECT_EQ(step.first, sum);
    sum += step.last - step.first;
  }
  EXPECT_EQ(system.now(), sum);
}

// A node takes a cycle a word, each way, and 100 more to the next; the wafers' links take four. So everything comes later by what the first
// word in takes and, since the sum of the last words out is sent a cycle after they came, what that one takes.
class SystemsOf : public testing::TestWithParam<std::pair<int, int>> {};  // systems, levels of SwarmX

TEST_P(SystemsOf, WafersBehindSwarmXTakeItsWaysLonger) {
  const auto [systems, levels] = GetParam();
  const WaferPlan plan = relay_plan(4, 2, words);
  MachineSpec m = machine(4.0, 5.0);
  m.swarmx = {2, 4 * m.core.clock, 100 / m.core.clock};
  const StepResult alone = PureWafer(m, plan, store_of(plan), training()).run_step(batch);
  memoryx::TrainingSpec shared = training();
  shared.batch = shared.systems = systems;
  const std::vector<std::uint32_t> tokens(static_cast<std::size_t>(systems));
  System system(m, plan, store_of(plan), shared, {});
  const StepResult first = system.run_step({tokens, tokens});
  EXPECT_EQ(first.gradients, alone.gradients + static_cast<std::uint64_t>(levels) * ((1 + 100) + (1 + 1 + 100)));
  for (std::size_t e = 0; e < 2 * words; ++e)
    EXPECT_EQ(system.store().gradients()[e], static_cast<float>(systems) * static_cast<float>(e + 1));
  EXPECT_EQ(first.statistics.in[0].words, alone.statistics.in[0].words);
  EXPECT_EQ(first.statistics.in[0].update_wait_cycles, 0u);
  const StepResult second = system.run_step({tokens, tokens});
  EXPECT_EQ(second.first, first.last);
}

INSTANTIATE_TEST_SUITE_P(Trees, SystemsOf, testing::Values(std::pair{2, 1}, std::pair{3, 2}, std::pair{5, 3}),
                         [](const auto& test) { return "Of" + std::to_string(test.param.first); });

TEST(System, NamesTheWaferThatStalls) {
  const WaferPlan plan = relay_plan(4, 2, words);
  memoryx::TrainingSpec shared = training();
  shared.batch = shared.systems = 2;
  System system(machine(), plan, store_of(plan), shared, {});
  system.drop_wavelet(0, {2, 0}, 0);
  try {
    system.run_step({{0, 0}, {0, 0}});
    FAIL() << "the step ended";
  } catch (const sim::Error& error) {
    EXPECT_EQ(error.category(), sim::ErrorCategory::stall);
    EXPECT_EQ(std::string(error.what()).find("system 0 of 2: the wafer stalled"), 0u) << error.what();
    EXPECT_NE(std::string(error.what()).find("PE (2, 0) waits for a wavelet of color 0"), std::string::npos) << error.what();
  }
}

// SystemC, blocks and threads must not be seen in the cycles.
struct Cut {
  int width, height, threads;
};
class SystemCuts : public testing::TestWithParam<Cut> {};

TEST_P(SystemCuts, GiveTheCyclesAndBitsOfEveryPartSteppedEveryCycle) {
  const WaferPlan plan = relay_plan(7, 6, words);
  MachineSpec m = machine(3.5, 17, 2);
  m.memoryx.bandwidth = 1.7e11;
  m.memoryx.dram_latency = 30e-9;
  m.memoryx.prefetch_blocks = 3;
  PureWafer pure(m, plan, store_of(plan), training(), {64, 64, 1}, Stepping::every_cycle);
  System system(m, plan, store_of(plan), training(), {GetParam().width, GetParam().height, GetParam().threads});
  for (int s = 0; s < 3; ++s) {
    const StepResult expected = pure.run_step(batch), step = system.run_step(batch);
    EXPECT_EQ(step.first, expected.first);
    EXPECT_GT(step.statistics.in[0].store_wait_cycles, 0u);
    EXPECT_EQ(step.statistics.in[0].store_wait_cycles, expected.statistics.in[0].store_wait_cycles);
    EXPECT_EQ(step.gradients, expected.gradients);
    EXPECT_EQ(step.last, expected.last);
    ASSERT_EQ(step.updates.size(), expected.updates.size());
    for (std::size_t i = 0; i < step.updates.size(); ++i) EXPECT_EQ(step.updates[i].end, expected.updates[i].end);
    EXPECT_EQ(step.gradient_norm, expected.gradient_norm);
    EXPECT_EQ(system.store().weights(), pure.store().weights());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Blocks, SystemCuts, testing::Values(Cut{1, 1, 1}, Cut{1, 1, 2}, Cut{3, 5, 1}, Cut{3, 5, 2}, Cut{16, 16, 1}, Cut{7, 6, 2}, Cut{7, 1, 2}),
    [](const auto& cut) {
      return std::to_string(cut.param.width) + "x" + std::to_string(cut.param.height) + "Threads" + std::to_string(cut.param.threads);
    });

// A slow link out fills the edge queues: the wafer waits for room and goes on when there is some.
TEST(System, WaitsForRoomInTheEdgeQueues) {
  const WaferPlan plan = relay_plan(3, 4, words);
  const MachineSpec m = machine(7.25, 40, 1);
  PureWafer pure(m, plan, store_of(plan), training(), {1, 1, 1}, Stepping::every_cycle);
  System system(m, plan, store_of(plan), training(), {});
  for (int s = 0; s < 2; ++s) EXPECT_EQ(system.run_step(batch).gradients, pure.run_step(batch).gradients);
}

class LinkLatency : public testing::TestWithParam<int> {};

TEST_P(LinkLatency, MovesTheFirstComputeCycleByItself) {
  const WaferPlan plan = relay_plan(2, 1, words);
  const MachineSpec m = machine(1.0, GetParam());
  System system(m, plan, store_of(plan), training(), {});
  const StepResult step = system.run_step(batch);
  // One cycle to send, the edge's, a hop to enter, one through the router, the ramp.
  const unsigned arrives = 1u + static_cast<unsigned>(m.io.edge_latency_cycles + GetParam()) + 1 + 2;
  // A task switch, issue and the word itself, then the ramp both ways.
  const unsigned passes_on = static_cast<unsigned>(m.core.task_switch_cycles + m.core.issue_cycles) + 1 + 2 + 2;
  EXPECT_EQ(step.statistics.calls[0].first_start, arrives + passes_on);
}

INSTANTIATE_TEST_SUITE_P(Cycles, LinkLatency, testing::Values(50, 100, 101, 850),
                         [](const auto& latency) { return std::to_string(latency.param); });

TEST(System, AFlippedBitReachesTheGradient) {
  const WaferPlan plan = relay_plan(4, 1, words);
  System system(machine(), plan, store_of(plan), training(), {});
  system.flip_wavelet(0, {2, 0}, 0, 0x80000000u);
  system.run_step(batch);
  EXPECT_EQ(system.faults_left(), 0);
  EXPECT_EQ(system.store().gradients()[0], -1.0f);
  EXPECT_EQ(system.store().gradients()[1], 2.0f);
}

}  // namespace
}  // namespace wafersim::models
