// Programs that stop: the error names who waits for whom.
#include <cstdlib>
#include <functional>
#include <gtest/gtest.h>
#include <string>

#include "models/system.h"
#include "sim/error.h"
#include "tests/component/relay_plan.h"
#include "tools/trainer/guard.h"

namespace wafersim::models {
namespace {

using fabric::east, fabric::mask, fabric::ramp, fabric::west;
using sim::Dtype;

memoryx::ParameterStore store_of(int elements) {
  memoryx::ParameterTable table;
  table.add("w", {elements}, memoryx::ParameterEntry::Initial::one);
  return memoryx::ParameterStore(std::move(table));
}

// The message of the stall in which the first step ends.
std::string stall(System& system) {
  try {
    system.run_step({{0}, {0}});
  } catch (const sim::Error& error) {
    EXPECT_EQ(error.category(), sim::ErrorCategory::stall);
    return error.what();
  }
  return "no stall";
}

std::string stall(const WaferPlan& plan) {
  System system({}, plan, store_of(64), {}, {});
  return stall(system);
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Two PEs side by side; color 0 runs from the first to the second, color 1 back. MemoryX waits for one word.
template <class First, class Second>
WaferPlan pair_plan(First&& first, Second&& second) {
  WaferPlan plan;
  plan.width = 2;
  plan.height = 1;
  plan.routes = fabric::RouteMap(2, 1);
  plan.routes.add({0, 0}, 0, mask(ramp), mask(east));
  plan.routes.add({1, 0}, 0, mask(west), mask(ramp));
  plan.routes.add({1, 0}, 1, mask(ramp), mask(west));
  plan.routes.add({0, 0}, 1, mask(east), mask(ramp));
  plan.pe_class = {0, 1};
  plan.start_task = 0;
  plan.sram.peak_bytes = 1024;
  plan.edge_queue_words = 4;
  const auto program = [&](int in, int out, auto&& body) {
    Assembler a;
    a.task(0, "start");
    a.bind_input(0, imm(in));
    a.bind_output(2, imm(out));
    body(a);
    a.end_task();
    plan.programs.push_back(a.finish());
  };
  program(1, 0, first);
  program(0, 1, second);
  KernelCall call{"pair", "forward", -1, {}, 0};
  call.stream.out.push_back({{memoryx::Port::Side::east, 0}, 0, {{memoryx::GradientWord::Kind::discard, 0, 0}}});
  plan.calls.push_back(call);
  return plan;
}

void receive(Assembler& a, int words) { a.mov(memory(Dtype::f32, imm(0)), input(Dtype::f32, 0), imm(words)); }
void send(Assembler& a, int words) { a.mov(output(Dtype::f32, 2), memory(Dtype::f32, imm(0)), imm(words)); }

TEST(Stall, TwoPesThatWaitForEachOtherAreACycle) {
  const auto body = [](Assembler& a) {
    receive(a, 4);
    send(a, 4);
  };
  const std::string text = stall(pair_plan(body, body));
  EXPECT_TRUE(contains(first_line(text), "PE (0, 0) waits for a wavelet of color 1 in input queue 0")) << text;
  EXPECT_TRUE(contains(text, "PE (1, 0) waits for a wavelet of color 0 in input queue 0")) << text;
  EXPECT_TRUE(contains(text, "a cycle: the last waits for line 1 of this list")) << text;
  EXPECT_TRUE(contains(text, "0 of 1 words of the step have arrived")) << text;
}

TEST(Stall, TwoPesThatBothSendFirstFillTheirQueuesAndAreACycle) {
  const auto body = [](Assembler& a) {
    send(a, 100);
    receive(a, 100);
  };
  const std::string text = stall(pair_plan(body, body));
  EXPECT_TRUE(contains(first_line(text), "PE (0, 0) waits for room in output queue 2 of color 0")) << text;
  EXPECT_TRUE(contains(text, "waits for room in input queue 0 of the core")) << text;
  EXPECT_TRUE(contains(text, "PE (1, 0) waits for room in output queue 2 of color 1")) << text;
  EXPECT_TRUE(contains(text, "a cycle")) << text;
}

// Trains a step as the program does, in a process of its own.
[[noreturn]] void run_program(const WaferPlan& plan, const std::function<void(System&)>& fault) {
  std::exit(tools::guarded([&] {
    System system({}, plan, store_of(64), {}, {});
    fault(system);
    system.run_step({{0}, {0}});
    return 0;
  }));
}

TEST(StalledProgram, ExitsWith4AndPrintsItsWaitForCycle) {
  const auto body = [](Assembler& a) {
    receive(a, 4);
    send(a, 4);
  };
  const WaferPlan plan = pair_plan(body, body);
  EXPECT_EXIT(run_program(plan, [](System&) {}), testing::ExitedWithCode(4),
              "^wafersim: stall error: .*PE \\(0, 0\\) waits for a wavelet of color 1.*PE \\(1, 0\\) waits for a wavelet of color 0.*"
              "a cycle: the last waits for line 1 of this list");
}

TEST(StalledProgram, ExitsWith4AndNamesThePeAndColorOfADroppedWavelet) {
  const WaferPlan plan = relay_plan(4, 1, 16);
  EXPECT_EXIT(run_program(plan,
                          [](System& system) {
                            system.drop_wavelet(0, {2, 0}, 0);
                          }),
              testing::ExitedWithCode(4), "^wafersim: stall error: .*PE \\(2, 0\\) waits for a wavelet of color 0");
}

TEST(StalledProgram, ExitsWith0WhenNothingIsDropped) {
  const WaferPlan plan = relay_plan(4, 1, 16);
  EXPECT_EXIT(run_program(plan, [](System&) {}), testing::ExitedWithCode(0), "^$");
}

TEST(Stall, AChainWithoutACycleSaysWhereItEnds) {
  const std::string text = stall(pair_plan([](Assembler& a) { receive(a, 4); }, [](Assembler& a) { send(a, 3); }));
  EXPECT_TRUE(contains(first_line(text), "PE (0, 0) waits for a wavelet of color 1")) << text;
  EXPECT_TRUE(contains(first_line(text), "element 3")) << text;
  EXPECT_TRUE(contains(text, "PE (1, 0), which would have to act, has no task to run")) << text;
  EXPECT_FALSE(contains(text, "a cycle:")) << text;
}

TEST(Stall, ARouteThatListensBeyondTheNorthEdgeHasNobodyThere) {
  WaferPlan plan = pair_plan([](Assembler& a) { receive(a, 4); }, [](Assembler& a) { send(a, 3); });
  plan.routes.set({1, 0}, 1, {});
  plan.routes.set({0, 0}, 1, {});
  plan.routes.add({0, 0}, 1, mask(fabric::north), mask(ramp));
  EXPECT_TRUE(contains(first_line(stall(plan)), "PE (0, 0) waits for a wavelet of color 1 in input queue 0"));
}

TEST(Stall, AQueueThatNobodyHasBoundIsNamed) {
  WaferPlan plan = pair_plan([](Assembler& a) { send(a, 30); }, [](Assembler& a) { a.set(0, imm(1)); });
  plan.programs[1].code.erase(plan.programs[1].code.begin());  // bind_input
  const std::string text = stall(plan);
  EXPECT_TRUE(contains(first_line(text), "PE (0, 0) waits for room in output queue 2 of color 0")) << text;
  EXPECT_TRUE(contains(text, "waits for an input queue that its core has not bound")) << text;
}

TEST(Stall, AStreamThatEndsTooEarlyIsNamed) {
  WaferPlan plan = relay_plan(2, 1, 16);
  plan.calls[0].stream.in.pop_back();
  const std::string text = stall(plan);
  EXPECT_TRUE(contains(first_line(text), "PE (0, 0) waits for a wavelet of color 0 in input queue 0")) << text;
  EXPECT_TRUE(contains(text, "the west edge port of row 0: the stream of weights has ended there")) << text;
}

TEST(Stall, ADroppedWaveletIsMissedAtThePeThatCountsOnIt) {
  const WaferPlan plan = relay_plan(4, 1, 16);
  System system({}, plan, store_of(64), {}, {});
  system.drop_wavelet(0, {2, 0}, 0);
  const std::string text = stall(system);
  EXPECT_EQ(system.faults_left(), 0);
  EXPECT_TRUE(contains(first_line(text), "PE (2, 0) waits for a wavelet of color 0")) << text;
  EXPECT_TRUE(contains(text, "MemoryX waits for word 0 of call 0 (relay forward, layer -1) on color 0 from row 0 of the east edge"))
      << text;
}

}  // namespace
}  // namespace wafersim::models
