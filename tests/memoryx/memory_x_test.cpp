#include "memoryx/memory_x.h"

#include <bit>
#include <gtest/gtest.h>
#include <limits>

#include "sim/error.h"
#include "tests/memoryx/small_model.h"

namespace wafersim::memoryx {
namespace {

std::uint32_t bits(float value) { return std::bit_cast<std::uint32_t>(value); }

// Streams bias first, then wpe; gradients of wte at row 0, of wpe at row 1, of bias at row 2, a word a tensor, each from a call of its own.
std::vector<CallStream> small_calls() {
  std::vector<CallStream> calls(4);
  for (const std::uint32_t element : {14u, 8u})
    calls[0].in.push_back({west_port(0), 0, sim::Dtype::f32, {StreamValue::Kind::parameter, 0, element, 0}, {}});
  calls[0].out = {{east_port(0), 0, {{GradientWord::Kind::parameter, 0, 0}}}};
  calls[1].out = {{east_port(1), 0, {{GradientWord::Kind::parameter, 8, 0}}}};
  calls[2].out = {{east_port(2), 0, {{GradientWord::Kind::parameter, 14, 0}}}};
  calls[3].out = {{west_port(0), 0, {{GradientWord::Kind::loss, 0, 0}}}};
  return calls;
}

std::vector<const CallStream*> all_of(const std::vector<CallStream>& calls) {
  std::vector<const CallStream*> streams;
  for (const CallStream& call : calls) streams.push_back(&call);
  return streams;
}

// At 1 Hz an update of n parameters takes 2 n cycles by rate, or n * bytes / bandwidth. The memory comes back at once.
MemoryXSpec slow(double bandwidth = 1e12) {
  MemoryXSpec spec;
  spec.dram_latency = 0;
  spec.dram_page = 1;
  spec.optimizer_rate = 0.5;
  spec.bandwidth = bandwidth;
  return spec;
}

struct Bench {
  std::vector<CallStream> calls = small_calls();
  PureStoreMemory memory;
  MemoryX memory_x;
  GradientReader reader;
  explicit Bench(const TrainingSpec& training, const MemoryXSpec& spec = slow())
      : memory(spec, 1.0),
        memory_x(spec, 1.0, training, small_store(), all_of(calls), small_timing(), memory),
        reader(all_of(calls), small_timing(), 1, 0, memory_x.collector()) {}

  void advance(std::uint64_t to) {
    for (std::uint64_t next; (next = memory_x.next_event()) <= to && next != never;) memory_x.advance(next);
    memory_x.advance(to);
  }
  void arrive(Port port, float value, std::uint64_t cycle) {
    advance(cycle - 1);
    reader.arrive(port, 0, bits(value), cycle);
    memory_x.advance(cycle);
  }
  // A step that begins at 100 after `later`; wte's gradient arrives at 120, wpe's at 110, bias's at 130, the loss at 140.
  MemoryX::StepEnd step(float wte = 1.0f, std::uint64_t later = 0) {
    reader.begin_step();
    memory_x.begin_step(later + 100, small_batch());
    while (memory_x.streamer().peek(0) != nullptr) memory_x.streamer().pop(0, later + 100);
    arrive(east_port(1), 2.0f, later + 110);
    arrive(east_port(0), wte, later + 120);
    arrive(east_port(2), 2.0f, later + 130);
    EXPECT_FALSE(memory_x.gradients_complete());
    arrive(west_port(0), 9.0f, later + 140);
    EXPECT_TRUE(memory_x.gradients_complete());
    const MemoryX::StepEnd end = memory_x.finish_step(later + 140);
    memory_x.advance(later + 140);
    return end;
  }
  // When the updates of the last step begin and end.
  StoreFlow::Updates updates() {
    advance(never - 1);
    StoreFlow::Updates last;
    while (const std::optional<StoreFlow::Updates> updates = memory_x.next_updates()) last = *updates;
    return last;
  }
  // From when on bias and wpe are there in a next step that begins at once.
  std::vector<std::uint64_t> ready() {
    memory_x.begin_step(140, small_batch());
    advance(1000);
    std::vector<std::uint64_t> cycles;
    while (const InWord* word = memory_x.streamer().peek(0)) {
      cycles.push_back(word->ready_cycle);
      memory_x.streamer().pop(0, 1000);
    }
    return cycles;
  }
};

TEST(MemoryX, UpdatesATensorWhenItsGradientIsThereWithoutClipping) {
  Bench bench(small_training());
  bench.step();
  // wpe (6 elements, 12 cycles) from 110, wte (8, 16) from 122, bias (3, 6) from 138; what is read at a cycle can be used from the next on,
  // in the order of the stream.
  EXPECT_EQ(bench.ready(), (std::vector<std::uint64_t>{145, 145}));
  EXPECT_EQ(bench.updates().begin, 110u);
  EXPECT_EQ(Bench(small_training()).updates().end, 0u);  // none has begun
}

TEST(MemoryX, TheNextStepsWordsWaitForTheUpdatesOfTheirTensors) {
  Bench bench(small_training());
  bench.step();
  bench.ready();
  EXPECT_EQ(bench.updates().end, 144u);
}

TEST(MemoryX, WithClippingNoUpdateStartsBeforeTheLastWordHasArrived) {
  TrainingSpec training = small_training();
  training.update.clip = 1.0;
  Bench bench(training);
  bench.step();
  // From 140 in the order of first use: bias, wpe, wte.
  EXPECT_EQ(bench.ready(), (std::vector<std::uint64_t>{147, 159}));
  const StoreFlow::Updates updates = bench.updates();
  EXPECT_EQ(updates.begin, 140u);
  EXPECT_EQ(updates.end, 140u + 6 + 12 + 16);
}

TEST(MemoryX, UpdatesStepAfterStep) {
  Bench bench(small_training());
  bench.step();
  EXPECT_EQ(bench.updates().end, 144u);
  bench.step(1.0f, 1000);
  const StoreFlow::Updates second = bench.updates();
  EXPECT_EQ(second.step, 1);
  EXPECT_EQ(second.begin, 1110u);
  EXPECT_EQ(second.end, 1144u);
}

TEST(MemoryX, WithDynamicLossScalingNeither) {
  TrainingSpec training = small_training();
  training.update.loss_scale = {4.0, 2000, true};
  Bench bench(training);
  bench.step();
  EXPECT_EQ(bench.updates().end, 174u);
}

TEST(MemoryX, AnUpdateTakesTheBytesOfTheStoreWhereTheyTakeLonger) {
  TrainingSpec training = small_training();
  training.update.clip = 1.0;
  Bench adamw(training, slow(7.0));  // 28 bytes a parameter: 4 cycles
  adamw.step();
  EXPECT_EQ(adamw.updates().end, 140u + 4 * 17);
  training.update.optimizer.kind = OptimizerSpec::Kind::sgd;
  Bench sgd(training, slow(4.0));  // 12 bytes: 3 cycles
  sgd.step();
  EXPECT_EQ(sgd.updates().end, 140u + 3 * 17);
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
  std::vector<CallStream> calls = small_calls();
  calls[0].in.push_back({west_port(0), 0, sim::Dtype::f32, {StreamValue::Kind::gradient_scale, 0, 0, 0}, {}});
  PureStoreMemory memory(slow(), 1.0);
  MemoryX memory_x(slow(), 1.0, training, small_store(), all_of(calls), small_timing(), memory);
  GradientReader reader(all_of(calls), small_timing(), 1, 0, memory_x.collector());
  const auto scale = [&](std::uint64_t cycle) {
    reader.begin_step();
    memory_x.begin_step(cycle, small_batch());
    memory_x.advance(cycle);
    float value = 0.0f;
    while (const InWord* word = memory_x.streamer().peek(0)) {
      value = std::bit_cast<float>(word->bits);
      memory_x.streamer().pop(0, cycle);
    }
    memory_x.advance(cycle);
    return value;
  };
  EXPECT_EQ(scale(0), 2.0f);  // 12 over six tokens
  for (const int row : {0, 1, 2}) reader.arrive(east_port(row), 0, bits(std::numeric_limits<float>::infinity()), 5);
  reader.arrive(west_port(0), 0, bits(1.0f), 6);
  const MemoryX::StepEnd end = memory_x.finish_step(6);
  memory_x.advance(6);
  EXPECT_TRUE(end.update.skipped);
  const std::optional<StoreFlow::Updates> updates = memory_x.next_updates();
  ASSERT_TRUE(updates);
  EXPECT_EQ(updates->begin, 6u);
  EXPECT_EQ(updates->end, 6u);
  EXPECT_EQ(memory_x.store().weights(), small_store().weights());
  EXPECT_EQ(scale(6), 1.0f);
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
