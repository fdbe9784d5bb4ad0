// MemoryX's memories are TLM-2.0 targets: their times hold up the stream, and another memory takes their place.

#include "models/systemc/memory_tier.h"

#include <gtest/gtest.h>

#include "models/systemc/sampled_memory_x.h"
#include "models/systemc/sampled_wafer.h"

namespace wafersim::tests {
namespace {

// A memory with a time of its own: each access takes as long as the last.
class Metronome : public sc_core::sc_module {
 public:
  Metronome(const sc_core::sc_module_name& name, double seconds)
      : sc_core::sc_module(name), socket("socket"), beat_(seconds, sc_core::SC_SEC) {
    socket.register_b_transport(this, &Metronome::b_transport);
  }
  tlm_utils::simple_target_socket<Metronome> socket;
  int accesses() const { return accesses_; }

 private:
  void b_transport(tlm::tlm_generic_payload& access, sc_core::sc_time& delay) {
    ++accesses_;
    free_ = std::max(free_, sc_core::sc_time_stamp() + delay) + beat_;
    delay = free_ - sc_core::sc_time_stamp();
    access.set_response_status(tlm::TLM_OK_RESPONSE);
  }
  sc_core::sc_time beat_, free_;
  int accesses_ = 0;
};

// One call that reads a tensor and one that makes its gradient, on a link of a word a cycle without latency.
models::StepSchedule two_calls() {
  models::StepSchedule schedule;
  schedule.link.rows = schedule.link.pitch = schedule.link.channels_per_edge = 1;
  schedule.link.word_numerator = 1;
  schedule.tensor_elements = {1600};
  models::LinkLoad in, out;
  in.in.resize(2);
  in.out = out.in = out.out = in.in;
  in.in[0].parts = out.out[0].parts = {{.ports = 1, .words = {0, 0, 0, 1600}, .queue = 64}};
  schedule.loads = {in, out};
  models::ScheduledCall forward, backward;
  forward.active_cycles = backward.active_cycles = 3200;
  forward.period_cycles = backward.period_cycles = 3300;
  forward.reads = {{0, 1600, 0}};
  backward.load = 1;
  backward.gradients = {{0, 1600, 0}};
  schedule.calls = {forward, backward};
  return schedule;
}

models::SampledSpec spec() {
  models::SampledSpec made;
  made.clock = 1e9;
  return made;
}

struct Accesses {
  int dram = 0, flash = 0;
};

double step_with(double seconds_an_access, Accesses& accesses, const models::StepSchedule& schedule = two_calls(),
                 const models::SampledSpec& sampled = spec(), double seconds_a_flash_access = 0) {
  models::CycleClock clock;
  models::SampledMemoryX memory_x("memory_x", clock);
  Metronome dram("dram", seconds_an_access), flash("flash", seconds_a_flash_access);
  models::SampledWafer wafer("wafer", 0, clock);
  memory_x.store.dram.bind(dram.socket);
  memory_x.store.flash.bind(flash.socket);
  memory_x.down.bind(wafer.down);
  wafer.parent.bind(memory_x.reports);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  clock.start(sampled.clock);
  memory_x.configure(schedule, sampled, 1, 1, {});
  wafer.configure(schedule);
  memory_x.start();
  sc_core::sc_start();
  EXPECT_TRUE(memory_x.finished());
  accesses = {dram.accesses(), flash.accesses()};
  return memory_x.steps()[0].gradients;
}

TEST(MemoryTier, AMemoryThatIsFasterThanTheKernelHoldsUpNothing) {
  Accesses accesses;
  // 16 blocks of 200 cycles twice, and the switch between them.
  EXPECT_NEAR(step_with(50e-9, accesses), 3200 + 100 + 3200, 60);
  EXPECT_EQ(accesses.dram, 16 + 16 + 1);  // read, gradients, update
}

TEST(MemoryTier, AnotherMemoryWithATimeOfItsOwnTakesItsPlace) {
  Accesses accesses;
  // Sixteen reads, one a microsecond; then the gradients, which nobody waits for.
  EXPECT_NEAR(step_with(1e-6, accesses), 16 * 1000 + 200 + 100 + 3200, 150);
}

TEST(MemoryTier, WhatIsReadAcrossItsRowsIsCopiedFromFlashAtOnce) {
  models::SampledSpec flash = spec();
  flash.memoryx.dram_capacity = 0;
  models::StepSchedule schedule = two_calls();
  schedule.calls[0].reads[0].run = 10;
  Accesses accesses;
  // The copy; then as from a memory that holds up nothing.
  EXPECT_NEAR(step_with(50e-9, accesses, schedule, flash, 5e-6), 5000 + 3200 + 100 + 3200, 60 + 50);
  EXPECT_EQ(accesses.dram, 1 + 16);       // the copy, read across
  EXPECT_EQ(accesses.flash, 1 + 16 + 1);  // the copy; gradients, update
}

TEST(MemoryTier, GradientsOfLaterMicroBatchesAreAddedToThoseThatAreThere) {
  models::StepSchedule schedule = two_calls();
  schedule.micro_batches = 3;
  Accesses accesses;
  step_with(50e-9, accesses, schedule);
  EXPECT_EQ(accesses.dram, 3 * 16 + 16 + 2 * (16 + 16) + 1);  // weights; gradients stored; read and stored; update
}

TEST(MemoryTier, BlocksLeaveTheBufferWhenTheLinkHasThem) {
  // Room for one block: the next is read only when the last word of the one before is on the link, which takes 100 cycles; the kernel, 200.
  models::SampledSpec one_block = spec();
  one_block.memoryx.prefetch_blocks = 1;
  Accesses accesses;
  models::StepSchedule schedule = two_calls();
  schedule.loads[0].in[0].parts[0].queue = 1600;
  EXPECT_NEAR(step_with(50e-9, accesses, schedule, one_block), 3200 + 100 + 3200, 60 + 150);
  EXPECT_EQ(accesses.dram, 16 + 16 + 1);
}

struct Initiator : sc_core::sc_module {
  explicit Initiator(const sc_core::sc_module_name& name) : sc_core::sc_module(name), socket("socket") {}
  tlm_utils::simple_initiator_socket<Initiator> socket;
};

TEST(MemoryTier, ShortRunsMoveWholePages) {
  models::MemoryTier tier("tier");
  Initiator initiator("initiator");
  initiator.socket.bind(tier.socket);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  tier.configure({1e9, 0, 4096});
  const auto bytes_moved = [&](unsigned bytes, double run) {
    models::StoreAccessKind kind;
    kind.run_bytes = run;
    tlm::tlm_generic_payload payload;
    payload.set_command(tlm::TLM_IGNORE_COMMAND);
    payload.set_data_length(bytes);
    payload.set_extension(&kind);
    sc_core::sc_time delay;
    const double before = tier.timing().bytes();
    initiator.socket->b_transport(payload, delay);
    payload.clear_extension(&kind);
    return tier.timing().bytes() - before;
  };
  EXPECT_EQ(bytes_moved(8192, 0), 8192);
  EXPECT_EQ(bytes_moved(8192, 1024), 8 * 4096);
  EXPECT_EQ(bytes_moved(8192, 4096), 8192);
  EXPECT_EQ(bytes_moved(100, 0), 4096);
}

}  // namespace
}  // namespace wafersim::tests
