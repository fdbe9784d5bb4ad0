// Tasks, loops, microthreads and queues of one core.
#include "models/core_block.h"

#include <deque>
#include <gtest/gtest.h>

#include "sim/error.h"
#include "tests/models/one_core.h"

namespace wafersim::models {
namespace {

using fabric::Color, fabric::Cycle, fabric::east, fabric::mask, fabric::ramp, fabric::west;
using memoryx::Port;
using sim::Dtype;

TEST(HardwareLoop, IterationsCostNothing) {
  CoreSpec spec = free_control();
  spec.loop_cycles = 3;
  spec.scalar_cycles = 1;
  OneCore one(spec, [](Assembler& a) {
    a.loop(imm(5), [&] { a.add_integer(1, imm(2)); });
    a.end_task();
  });
  one.run();
  EXPECT_EQ(one.reg(1), 10);
  EXPECT_EQ(one.cycles(Activity::compute), 3u + 5);
}

TEST(HardwareLoop, NestsAndMayRunNoTime) {
  OneCore one(free_control(), [](Assembler& a) {
    a.set(2, imm(0));
    a.loop(imm(3), [&] {
      a.loop(imm(4), [&] { a.add_integer(1, imm(1)); });
      a.loop(reg(2), [&] { a.add_integer(1, imm(100)); });
      a.add_integer(2, imm(1));
    });
    a.end_task();
  });
  one.run();
  EXPECT_EQ(one.reg(1), 12 + 100 * (0 + 1 + 2));
}

TEST(Scalars, MoveAddMultiplyCompareLoadAndBranch) {
  OneCore one(free_control(), [](Assembler& a) {
    a.load(4, 2, imm(16));
    a.set(1, reg(4, 3));
    a.sub_integer(1, imm(1));
    a.mul_integer(1, reg(5));
    a.set(2, imm(7));
    a.min_integer(2, reg(1));
    const auto done = a.label();
    a.branch_less(1, imm(1000), done);
    a.set(1, imm(-1));
    a.bind(done);
    a.end_task();
  });
  const std::int32_t words[2] = {10, 5};
  std::memcpy(one.mesh().sram({0, 0}, 16), words, 8);
  one.run();
  EXPECT_EQ(one.reg(1), 60);
  EXPECT_EQ(one.reg(2), 7);
}

TEST(Tasks, TheLowestIdRunsFirstAndEachCostsASwitch) {
  CoreSpec spec = free_control();
  spec.task_switch_cycles = 10;
  OneCore one(spec, [](Assembler& a) {
    a.activate(5);
    a.activate(3);
    a.end_task();
    for (const int id : {3, 5}) {
      a.task(id, "t");
      a.mul_integer(1, imm(10));
      a.add_integer(1, imm(id));
      a.end_task();
    }
  });
  const Cycle end = one.run();
  EXPECT_EQ(one.reg(1), 35);
  EXPECT_EQ(one.cycles(Activity::task_switch), 30u);
  EXPECT_GE(end, 30u);
}

TEST(Tasks, ABlockedTaskWaitsUntilItIsUnblocked) {
  OneCore one(free_control(), [](Assembler& a) {
    a.activate(3);
    a.activate(4);
    a.end_task();
    a.task(3, "blocked").blocked = true;
    a.mul_integer(1, imm(10));
    a.end_task();
    a.task(4, "opens");
    a.set(1, imm(7));
    a.unblock(3);
    a.end_task();
  });
  one.run();
  EXPECT_EQ(one.reg(1), 70);
}

TEST(Tasks, WhoIsNeverUnblockedIsNamed) {
  OneCore one(free_control(), [](Assembler& a) {
    a.activate(3);
    a.end_task();
    a.task(3, "waits").blocked = true;
    a.end_task();
  });
  one.run();
  const auto waits = one.core().waits_of(0);
  ASSERT_EQ(waits.size(), 1u);
  EXPECT_EQ(waits[0].kind, CoreBlock::Wait::Kind::unblock);
  EXPECT_EQ(waits[0].what, "waits");
}

// Sends words into the west port from given cycles on, and takes all that leaves to the east while `open`.
class Ports : public EdgePorts {
 public:
  struct In {
    Cycle cycle;
    Color color;
    fabric::Wavelet wavelet;
  };
  std::deque<In> in;
  std::vector<std::pair<Cycle, std::uint32_t>> out;
  bool open = true;

  void deliver(Cycle now, const Enter& enter) override {
    if (!in.empty() && in.front().cycle <= now && enter({Port::Side::west, 0}, in.front().color, in.front().wavelet)) in.pop_front();
  }
  bool rooms_changed(Cycle) override { return true; }
  bool room(Port, Cycle) const override { return open; }
  void leave(Port, Cycle now, Color, const fabric::Wavelet& w) override { out.push_back({now, w.payload}); }
  Cycle next_event(Cycle now) const override { return in.empty() ? EventWheel::never : std::max(now + 1, in.front().cycle); }
};

fabric::RouteMap in_and_out() {
  fabric::RouteMap routes(1, 1);
  routes.add({0, 0}, 0, mask(west), mask(ramp));
  routes.add({0, 0}, 1, mask(ramp), mask(east));
  return routes;
}

TEST(Tasks, AWaveletActivatesADataTaskWithItsPayload) {
  Ports ports;
  for (std::uint32_t k = 1; k <= 3; ++k) ports.in.push_back({k * 50, 0, {k, false, false}});
  OneCore one(
      free_control(),
      [](Assembler& a) {
        a.bind_input(4, imm(0));
        a.end_task();
        Task& task = a.task(6, "data", Task::Kind::data);
        task.queue = 4;
        task.payload_register = 2;
        a.mul_integer(1, imm(10));
        a.add_integer(1, reg(2));
        a.end_task();
      },
      &ports, in_and_out());
  one.run();
  EXPECT_EQ(one.reg(1), 123);
}

TEST(Tasks, AControlWaveletActivatesTheTaskItNamesAndStartsItsCall) {
  Ports ports;
  ports.in.push_back({100, 0, {fabric::control_payload(fabric::SwitchCommand::nop, false, 9, 4), true, false}});
  CoreSpec spec = free_control();
  spec.task_switch_cycles = 10;
  OneCore one(
      spec,
      [](Assembler& a) {
        a.bind_input(4, imm(0));
        a.end_task();
        a.task(9, "control", Task::Kind::control).payload_register = 2;
        a.activate(10);
        a.end_task();
        a.task(10, "done");
        a.end_task();
        a.completion_task(10);
      },
      &ports, in_and_out());
  one.run();
  EXPECT_EQ(one.reg(2), 4);
  const std::vector<CallRecord> calls = one.core().take_calls();
  ASSERT_EQ(calls.size(), 5u);
  EXPECT_EQ(calls[4].first_start, 100u + 1 + 2);  // a hop in, the ramp
  EXPECT_EQ(calls[4].last_done, 100u + 1 + 2 + 10);
}

TEST(Queues, AWaveletFromCoreToEdgeTakesTheRampAndOneHop) {
  Ports ports;
  OneCore one(
      free_control(),
      [](Assembler& a) {
        a.bind_output(2, imm(1));
        a.mov(output(Dtype::f32, 2), constant(1.0f, Dtype::f32), imm(3));
        a.end_task();
      },
      &ports, in_and_out());
  one.run();
  ASSERT_EQ(ports.out.size(), 3u);
  // Issued in cycle 0, sent in cycle 1, in the router after the ramp.
  for (std::size_t k = 0; k < 3; ++k) EXPECT_EQ(ports.out[k].first, 1 + k + 1 + 2);
}

TEST(Queues, AFullOutputQueueStopsTheCoreAndIsNeverOverrun) {
  Ports ports;
  ports.open = false;
  OneCore one(
      free_control(),
      [](Assembler& a) {
        a.bind_output(2, imm(1));
        a.mov(output(Dtype::f32, 2), memory(Dtype::f32, imm(0)), imm(100));
        a.end_task();
      },
      &ports, in_and_out());
  MeshDriver& driver = one.mesh().driver();
  fabric::FabricBlock& routers = *driver.at({0, 0}).block->fabric;
  for (Cycle now = 0; now < 200; ++now) {
    driver.step(now);
    ASSERT_LE(routers.waiting_in_router(0, 1), 6 + 2);  // the queue and the ramp's latches
  }
  EXPECT_EQ(routers.waiting_in_router(0, 1), 8);
  const auto waits = one.core().waits_of(0);
  ASSERT_EQ(waits.size(), 1u);
  EXPECT_EQ(waits[0].kind, CoreBlock::Wait::Kind::output);
  EXPECT_EQ(waits[0].color, 1);
  ports.open = true;
  const Cycle end = driver.run(200);
  EXPECT_EQ(ports.out.size(), 100u);
  one.core().account_all(end);
  EXPECT_GE(one.cycles(Activity::output_wait), 180u);
  EXPECT_EQ(one.cycles(Activity::reduce), 1u + 100);
}

TEST(Queues, AnArrivingScalarTriggersARow) {
  Ports ports;
  const std::uint32_t two = 0x40000000u, three = 0x40400000u;
  ports.in = {{20, 0, {two, false, false}}, {60, 0, {three, false, false}}};
  OneCore one(
      free_control(),
      [](Assembler& a) {
        a.bind_input(0, imm(0));
        a.fma(memory(Dtype::f32, imm(256)), memory(Dtype::f32, imm(0), 1, 8), input_scalar(Dtype::f32, 0), imm(8), imm(2)).from_zero = true;
        a.end_task();
      },
      &ports, in_and_out());
  for (int k = 0; k < 16; ++k) one.mesh().write_float({0, 0}, 0, k, static_cast<float>(k));
  const Cycle end = one.run();
  for (int k = 0; k < 8; ++k)
    EXPECT_EQ(one.mesh().read_float({0, 0}, 256, k), 2.0f * static_cast<float>(k) + 3.0f * static_cast<float>(k + 8));
  EXPECT_EQ(one.cycles(Activity::compute), 2u * (1 + 8));  // fp32 fma: an element a cycle
  EXPECT_EQ(end, 60u + 1 + 2 + 9 + 1);
  const std::vector<CallRecord> calls = one.core().take_calls();
  EXPECT_EQ(calls[0].macs, 16u);
}

// A task and a microthread with `rows` rows of 8 cycles each.
std::uint64_t shared(int rows, std::uint64_t* end) {
  OneCore one(free_control(), [&](Assembler& a) {
    Instruction& aside = a.add(memory(Dtype::f32, imm(512)), memory(Dtype::f32, imm(0)), constant(1.0f, Dtype::f32), imm(16), imm(rows));
    aside.microthread = 3;
    aside.then_activate = 7;
    a.add(memory(Dtype::f32, imm(1024)), memory(Dtype::f32, imm(0)), constant(2.0f, Dtype::f32), imm(16), imm(rows));
    a.end_task();
    a.task(7, "after");
    a.set(1, imm(1));
    a.end_task();
  });
  *end = one.run();
  EXPECT_EQ(one.reg(1), 1);
  EXPECT_EQ(one.mesh().read_float({0, 0}, 512, 3), 1.0f);
  EXPECT_EQ(one.mesh().read_float({0, 0}, 1024, 3), 2.0f);
  EXPECT_EQ(one.cycles(Activity::compute) + one.cycles(Activity::shared_datapath), *end - 1);
  return one.cycles(Activity::shared_datapath);
}

TEST(Microthreads, ShareTheDatapathWithTheTaskInTurn) {
  std::uint64_t end = 0;
  // Both are alike; what the microthread takes while the task could run is counted as shared.
  const std::uint64_t taken = shared(4, &end);
  EXPECT_GE(taken, 3u * 9);
  EXPECT_LE(end, 2u * 4 * 9 + 2);
  EXPECT_GE(end, 2u * 4 * 8 + 2);
}

TEST(Microthreads, ATaskWaitsForOneThatIsInUse) {
  OneCore one(free_control(), [](Assembler& a) {
    for (int k = 0; k < 2; ++k)
      a.add(memory(Dtype::f32, imm(512)), memory(Dtype::f32, imm(512)), constant(1.0f, Dtype::f32), imm(16)).microthread = 0;
    a.end_task();
  });
  one.run();
  EXPECT_EQ(one.mesh().read_float({0, 0}, 512, 15), 2.0f);
}

TEST(CoreBlock, EveryCycleOfAPeIsBusyAStallOrIdle) {
  Ports ports;
  for (std::uint32_t k = 0; k < 20; ++k) ports.in.push_back({10 + 40 * k, 0, {k, false, false}});
  OneCore one(
      {},
      [](Assembler& a) {
        a.bind_input(0, imm(0));
        a.bind_output(2, imm(1));
        Instruction& forward = a.mov(output(Dtype::f32, 2), input(Dtype::f32, 0), imm(20));
        forward.microthread = 1;
        forward.then_activate = 5;
        a.loop(imm(6), [&] {
          a.mul(memory(Dtype::f32, imm(512)), memory(Dtype::f32, imm(0)), memory(Dtype::f32, imm(0 + 256)), imm(13)).new_output = true;
        });
        a.end_task();
        a.task(5, "after");
        a.end_task();
      },
      &ports, in_and_out());
  const Cycle end = one.run();
  std::uint64_t sum = 0;
  for (std::size_t k = 0; k < activities; ++k) sum += one.cycles(static_cast<Activity>(k));
  EXPECT_EQ(sum, end);
  for (const Activity a : {Activity::compute, Activity::output_switch, Activity::task_switch, Activity::bank_conflict,
                           Activity::shared_datapath, Activity::wavelet_wait})
    EXPECT_GT(one.cycles(a), 0u) << activity_names[static_cast<std::size_t>(a)];
}

TEST(CoreBlock, RefusesToReachOutsideTheSram) {
  OneCore one(free_control(), [](Assembler& a) {
    a.mov(memory(Dtype::f32, imm(OneCore::bytes - 4)), memory(Dtype::f32, imm(0)), imm(2));
    a.end_task();
  });
  try {
    one.run();
    FAIL() << "it did";
  } catch (const sim::Error& error) {
    EXPECT_EQ(error.category(), sim::ErrorCategory::invariant);
  }
}

}  // namespace
}  // namespace wafersim::models
