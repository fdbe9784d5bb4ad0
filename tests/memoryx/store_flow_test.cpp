#include "memoryx/store_flow.h"

#include <gtest/gtest.h>

#include "memoryx/link_timing.h"
#include "sim/error.h"

namespace wafersim::memoryx {
namespace {

// Remembers its accesses, each of which takes so long after the one before.
class SlowMemory : public StoreMemory {
 public:
  explicit SlowMemory(std::uint64_t cycles) : cycles_(cycles) {}
  StoreTimes access(const StoreAccess& access, std::uint64_t cycle) override {
    accesses.push_back(access);
    const std::uint64_t begin = std::max(free_, cycle);
    free_ = begin + cycles_;
    return {begin, free_, free_};
  }
  std::vector<StoreAccess> accesses;

 private:
  std::uint64_t cycles_, free_ = 0;
};

// A call of four blocks that reads tensor 0 and then 1, one that takes nothing, and one that makes both gradients. At 1 Hz an update of a
// tensor of 10 elements takes 20 cycles.
StepWork small_work() {
  StepWork work;
  work.calls = {{4, {{0, 10, 0, false, 0, 0.5}, {1, 10, 0, false, 0.5, 1}}, {}}, {1, {}, {}}, {2, {}, {{0, 10}, {1, 10}}}};
  work.tensor_elements = {10, 10};
  return work;
}

MemoryXSpec small_store(int places) {
  MemoryXSpec spec;
  spec.optimizer_rate = 0.5;
  spec.prefetch_blocks = places;
  return spec;
}

struct Bench {
  SlowMemory memory;
  StoreFlow flow;
  Bench(int places, std::uint64_t access_cycles, bool updates_wait = false, const StepWork& work = small_work(),
        MemoryXSpec spec = small_store(64))
      : memory(access_cycles), flow((spec.prefetch_blocks = places, spec), {1.0, OptimizerSpec::Kind::adamw, updates_wait}, work, memory) {}

  void run(std::uint64_t to) {
    for (std::uint64_t next; (next = flow.next_event()) <= to && next != never;) flow.advance(next);
  }
  // When the blocks are there that have been read until `to`.
  std::vector<std::uint64_t> ready(std::uint64_t to) {
    run(to);
    std::vector<std::uint64_t> cycles;
    while (const std::optional<StoreFlow::Read> read = flow.next_read()) cycles.push_back(read->ready);
    return cycles;
  }
  void gradients(std::uint64_t cycle, bool skipped = false) {
    flow.gradient(2, 0.5, false, cycle);
    flow.gradient(2, 0.5, true, cycle);
    flow.end_step(cycle, skipped);
  }
};

using Cycles = std::vector<std::uint64_t>;

TEST(StoreFlow, ReadsAheadAsFarAsTheBufferHasPlaces) {
  Bench bench(2, 10);
  bench.flow.begin_step(100);
  EXPECT_EQ(bench.ready(1000), (Cycles{110, 120}));
  bench.flow.taken(0, 0, 1200);
  EXPECT_EQ(bench.flow.next_event(), 1200u);
  bench.flow.taken(0, 1, 1205);
  // Then the other two, and what takes nothing and so no place.
  EXPECT_EQ(bench.ready(2000), (Cycles{1210, 1220, 1205, 1205, 1205}));
  EXPECT_EQ(bench.flow.next_event(), never);
}

TEST(StoreFlow, ABlockWaitsForTheUpdatesOfItsTensorsAndSaysHowLong) {
  Bench bench(64, 0);
  bench.flow.begin_step(0);
  bench.run(50);
  while (bench.flow.next_read()) {
  }
  bench.gradients(100);
  bench.flow.begin_step(100);
  bench.run(1000);
  // Tensor 0 is updated from 100 to 120, tensor 1 to 140.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> reads;
  while (const std::optional<StoreFlow::Read> read = bench.flow.next_read()) reads.push_back({read->ready, read->update_wait});
  ASSERT_EQ(reads.size(), 7u);
  EXPECT_EQ(reads[0], (std::pair<std::uint64_t, std::uint64_t>{120, 20}));
  EXPECT_EQ(reads[1], (std::pair<std::uint64_t, std::uint64_t>{120, 0}));
  EXPECT_EQ(reads[2], (std::pair<std::uint64_t, std::uint64_t>{140, 20}));
  EXPECT_EQ(reads[3], (std::pair<std::uint64_t, std::uint64_t>{140, 0}));
  const std::optional<StoreFlow::Updates> updates = bench.flow.next_updates();
  ASSERT_TRUE(updates);
  EXPECT_EQ(updates->begin, 100u);
  EXPECT_EQ(updates->end, 140u);
}

TEST(StoreFlow, AnUpdateStartsWhenItsOwnGradientIsThereOrThatOfTheWholeStep) {
  for (const bool wait : {false, true}) {
    Bench bench(64, 0, wait);
    bench.flow.begin_step(0);
    bench.flow.gradient(2, 1, true, 100);
    bench.run(150);
    bench.flow.end_step(200, false);
    bench.run(1000);
    EXPECT_EQ(bench.flow.next_updates()->begin, wait ? 200u : 100u);
  }
}

TEST(StoreFlow, TheMemoryMovesTheNextTensorWhileTheOptimizerWorksOnTheLast) {
  Bench bench(64, 30);  // longer than the optimizer takes
  bench.flow.begin_step(0);
  bench.run(1000);
  bench.gradients(2000);
  bench.run(5000);
  // Two shares of two tensors written from 2000 to 2120, then 30 a tensor: each is updated when its bytes have moved.
  EXPECT_EQ(bench.flow.next_updates()->end, 2000u + 4 * 30 + 2 * 30);
}

TEST(StoreFlow, ASkippedStepTakesNoTimeAndTheNextReadsAtOnce) {
  Bench bench(64, 0, true);
  bench.flow.begin_step(0);
  bench.ready(10);
  bench.gradients(100, true);
  bench.flow.begin_step(100);
  EXPECT_EQ(bench.ready(1000), Cycles(7, 100));
  const std::optional<StoreFlow::Updates> updates = bench.flow.next_updates();
  EXPECT_EQ(updates->begin, 100u);
  EXPECT_EQ(updates->end, 100u);
}

TEST(StoreFlow, GradientsOfLaterMicroBatchesAreAddedToThoseThatAreThere) {
  StepWork work = small_work();
  work.micro_batches = 2;
  Bench bench(64, 1, true, work);
  bench.flow.begin_step(0);
  bench.run(100);
  const std::size_t reads = bench.memory.accesses.size();
  EXPECT_EQ(reads, 2u * 4);
  bench.flow.gradient(2, 1, true, 200);
  bench.flow.gradient(5, 1, true, 300);  // the same call, a micro-batch later
  bench.run(250);
  EXPECT_EQ(bench.memory.accesses.size(), reads + 2);
  bench.run(350);
  ASSERT_EQ(bench.memory.accesses.size(), reads + 2 + 4);
  EXPECT_FALSE(bench.memory.accesses[reads + 2].write);
  EXPECT_TRUE(bench.memory.accesses[reads + 3].write);
  EXPECT_EQ(bench.flow.next_event(), never);  // the step is not over
  bench.flow.end_step(400, false);
  EXPECT_EQ(bench.flow.next_event(), 400u);
}

TEST(StoreFlow, WhatIsReadAcrossItsRowsIsCopiedFromFlashOnceAndReadInDram) {
  StepWork work = small_work();
  work.calls[0].reads[1].run = 2;
  MemoryXSpec spec = small_store(64);
  spec.dram_capacity = 16 * 10;  // the first tensor
  Bench bench(64, 10, false, work, spec);
  bench.flow.begin_step(0);
  // The copy is read until 10 and then written; the blocks queue behind.
  EXPECT_EQ(bench.ready(1000), (Cycles{30, 40, 50, 60, 10, 10, 10}));
  std::vector<std::pair<bool, bool>> kinds;  // in flash, write
  for (const StoreAccess& access : bench.memory.accesses) kinds.push_back({access.in_flash, access.write});
  EXPECT_EQ(kinds, (std::vector<std::pair<bool, bool>>{
                       {true, false}, {false, true}, {false, false}, {false, false}, {false, false}, {false, false}}));
  EXPECT_EQ(bench.memory.accesses[0].bytes, 40);
  EXPECT_EQ(bench.memory.accesses.back().run_bytes, 8);
}

TEST(StoreFlow, RowsOfTokensAreReadForEverySystem) {
  StepWork work = small_work();
  work.systems = 3;
  work.calls[0].reads[0].own = true;
  Bench bench(64, 0, false, work);
  bench.flow.begin_step(0);
  bench.run(0);
  EXPECT_EQ(bench.memory.accesses[0].bytes, 3 * 20);
  EXPECT_EQ(bench.memory.accesses[2].bytes, 20);
}

TEST(StoreFlow, RefusesAModelThatTheStoreCannotHold) {
  MemoryXSpec spec = small_store(1);
  spec.capacity = 16 * 20 - 1;
  SlowMemory memory(0);
  EXPECT_THROW(StoreFlow(spec, {1.0, OptimizerSpec::Kind::adamw, false}, small_work(), memory), sim::Error);
}

TEST(TierTiming, ShortRunsMoveWholePagesOneAccessAfterAnother) {
  TierTiming tier({100, 5, 10});
  EXPECT_EQ(tier.access({false, false, 100, 0}, 50), 50 + 1 + 5);
  EXPECT_EQ(tier.access({false, false, 100, 5}, 50), 51 + 2 + 5);  // twenty runs of half a page
  EXPECT_EQ(tier.access({false, true, 1, 0}, 100), 100 + 0.1 + 5);
  EXPECT_EQ(tier.bytes(), 100 + 200 + 10);
}

}  // namespace
}  // namespace wafersim::memoryx
