#include "memoryx/memory_x.h"

#include <bit>
#include <gtest/gtest.h>
#include <limits>

#include "sim/error.h"
#include "tests/memoryx/small_model.h"

namespace wafersim::memoryx {
namespace {

std::uint32_t bits(float value) { return std::bit_cast<std::uint32_t>(value); }

// Streams bias first, then wpe; gradients of wte at row 0, of wpe at row 1, of bias at row 2, a word a tensor.
CallStream small_call() {
  CallStream call;
  for (const std::uint32_t element : {14u, 8u})
    call.in.push_back({west_port(0), 0, false, {StreamValue::Kind::parameter, 0, element, 0}, {}});
  call.out = {{east_port(0), 0, {{GradientWord::Kind::parameter, 0, 0}}},
              {east_port(1), 0, {{GradientWord::Kind::parameter, 8, 0}}},
              {east_port(2), 0, {{GradientWord::Kind::parameter, 14, 0}}},
              {west_port(0), 0, {{GradientWord::Kind::loss, 0, 0}}}};
  return call;
}

// At 1 Hz an update of n parameters takes 2 n cycles by rate, or n * bytes / bandwidth.
MemoryXSpec slow(double bandwidth = 1e12) {
  MemoryXSpec spec;
  spec.optimizer_rate = 0.5;
  spec.bandwidth = bandwidth;
  return spec;
}

struct Bench {
  CallStream call = small_call();
  MemoryX memory_x;
  GradientReader reader;
  explicit Bench(const TrainingSpec& training, const MemoryXSpec& spec = slow())
      : memory_x(spec, 1.0, training, small_store(), {&call}, small_timing()),
        reader({&call}, small_timing(), 1, 0, memory_x.collector()) {}

  // A step that begins at 100; wte's gradient arrives at 120, wpe's at 110, bias's at 130, the loss at 140.
  MemoryX::StepEnd step(float wte = 1.0f) {
    reader.begin_step();
    memory_x.begin_step(100, small_batch());
    while (memory_x.streamer().peek(0) != nullptr) memory_x.streamer().pop(0, 0);
    reader.arrive(east_port(1), 0, bits(2.0f), 110);
    reader.arrive(east_port(0), 0, bits(wte), 120);
    reader.arrive(east_port(2), 0, bits(2.0f), 130);
    EXPECT_FALSE(memory_x.gradients_complete());
    reader.arrive(west_port(0), 0, bits(9.0f), 140);
    EXPECT_TRUE(memory_x.gradients_complete());
    return memory_x.finish_step(140);
  }
  // Ready cycles of bias and wpe in the next step, which begins at 0 for the sake of the question.
  std::vector<std::uint64_t> ready() {
    memory_x.begin_step(0, small_batch());
    std::vector<std::uint64_t> cycles;
    while (const InWord* word = memory_x.streamer().peek(0)) {
      cycles.push_back(word->ready_cycle);
      memory_x.streamer().pop(0, 0);
    }
    return cycles;
  }
};

TEST(ScheduleUpdates, RunsOneAfterAnotherInOrderOfPreference) {
  EXPECT_EQ(schedule_updates({10, 10, 10}, {5, 6, 7}, {2, 0, 1}), (std::vector<std::uint64_t>{22, 28, 17}));
}

TEST(ScheduleUpdates, DoesNotWaitForAnotherThatCannotStartYet) {
  EXPECT_EQ(schedule_updates({50, 10, 12}, {5, 6, 7}, {0, 2, 1}), (std::vector<std::uint64_t>{55, 16, 23}));
}

TEST(MemoryX, UpdatesATensorWhenItsGradientIsThereWithoutClipping) {
  Bench bench(small_training());
  // wpe (6 elements, 12 cycles) from 110, wte (8, 16) from 122, bias (3, 6) from 138.
  EXPECT_EQ(bench.step().updates_end, 144u);
  EXPECT_EQ(bench.ready(), (std::vector<std::uint64_t>{144, 122}));
}

TEST(MemoryX, WithClippingNoUpdateStartsBeforeTheLastWordHasArrived) {
  TrainingSpec training = small_training();
  training.update.clip = 1.0;
  Bench bench(training);
  // From 140 in the order of first use: bias, wpe, wte.
  EXPECT_EQ(bench.step().updates_end, 140u + 6 + 12 + 16);
  EXPECT_EQ(bench.ready(), (std::vector<std::uint64_t>{146, 158}));
}

TEST(MemoryX, SaysWhenItsUpdatesBegin) {
  TrainingSpec training = small_training();
  EXPECT_EQ(Bench(training).step().updates_begin, 110u);
  training.update.clip = 1.0;
  EXPECT_EQ(Bench(training).step().updates_begin, 140u);
}

TEST(MemoryX, UpdatesNothingBeforeTheUpdatesOfTheStepBeforeAreDone) {
  Bench bench(small_training());
  bench.step();                                 // until 144
  EXPECT_EQ(bench.step().updates_begin, 144u);  // its gradients seem to arrive at 110, 120 and 130
  EXPECT_EQ(bench.step().updates_end, 144u + 2 * 34);
}

TEST(MemoryX, WithDynamicLossScalingNeither) {
  TrainingSpec training = small_training();
  training.update.loss_scale = {4.0, 2000, true};
  Bench bench(training);
  EXPECT_EQ(bench.step().updates_end, 174u);
}

TEST(MemoryX, AnUpdateTakesTheBytesOfTheStoreWhereTheyTakeLonger) {
  TrainingSpec training = small_training();
  training.update.clip = 1.0;
  Bench adamw(training, slow(7.0));  // 28 bytes a parameter: 4 cycles
  EXPECT_EQ(adamw.step().updates_end, 140u + 4 * 17);
  training.update.optimizer.kind = OptimizerSpec::Kind::sgd;
  Bench sgd(training, slow(4.0));  // 12 bytes: 3 cycles
  EXPECT_EQ(sgd.step().updates_end, 140u + 3 * 17);
}

TEST(MemoryX, GivesTheNumbersOfTheUpdaterAndTheMeanLoss) {
  TrainingSpec training = small_training();
  training.update.clip = 0.5;
  training.update.optimizer.weight_decay = 0.1;
  Bench bench(training);
  const MemoryX::StepEnd end = bench.step();
  EXPECT_EQ(end.loss, 9.0 / 6);
  ParameterStore store = small_store();
  store.gradients()[0] = 1.0f;
  store.gradients()[8] = store.gradients()[14] = 2.0f;
  Updater updater(training.update);
  const UpdateRecord record = updater.finish_step(store);
  EXPECT_EQ(end.update.gradient_norm, 3.0f);
  EXPECT_EQ(record.gradient_norm, 3.0f);
  EXPECT_EQ(bench.memory_x.store().weights(), store.weights());
  EXPECT_EQ(bench.memory_x.store().second_moments(), store.second_moments());
  EXPECT_EQ(bench.memory_x.store().gradients(), store.gradients());
}

TEST(MemoryX, ASkippedStepTakesNoTimeAndHalvesTheScaleOfTheNext) {
  TrainingSpec training = small_training();
  training.update.loss_scale = {12.0, 2000, true};
  Bench bench(training);
  bench.call.in.push_back({west_port(0), 0, false, {StreamValue::Kind::gradient_scale, 0, 0, 0}, {}});
  MemoryX memory_x(slow(), 1.0, training, small_store(), {&bench.call}, small_timing());
  GradientReader reader({&bench.call}, small_timing(), 1, 0, memory_x.collector());
  const auto scale = [&] {
    reader.begin_step();
    memory_x.begin_step(0, small_batch());
    float value = 0.0f;
    while (const InWord* word = memory_x.streamer().peek(0)) {
      value = std::bit_cast<float>(word->bits);
      memory_x.streamer().pop(0, 0);
    }
    return value;
  };
  EXPECT_EQ(scale(), 2.0f);  // 12 over six tokens
  for (const int row : {0, 1, 2}) reader.arrive(east_port(row), 0, bits(std::numeric_limits<float>::infinity()), 5);
  reader.arrive(west_port(0), 0, bits(1.0f), 6);
  const MemoryX::StepEnd end = memory_x.finish_step(6);
  EXPECT_TRUE(end.update.skipped);
  EXPECT_EQ(end.updates_begin, 6u);
  EXPECT_EQ(end.updates_end, 6u);
  EXPECT_EQ(memory_x.store().weights(), small_store().weights());
  EXPECT_EQ(scale(), 1.0f);
}

TEST(MemoryX, RefusesAModelThatItCannotHold) {
  MemoryXSpec spec;
  spec.capacity = 17 * 16 - 1;
  try {
    Bench bench(small_training(), spec);
    FAIL() << "held";
  } catch (const sim::Error& error) {
    EXPECT_EQ(error.category(), sim::ErrorCategory::plan);
  }
}

TEST(MemoryX, RefusesABatchOfAnotherSize) {
  Bench bench(small_training());
  EXPECT_THROW(bench.memory_x.begin_step(0, {{1, 2}, {2, 3}}), sim::Error);
}

}  // namespace
}  // namespace wafersim::memoryx
