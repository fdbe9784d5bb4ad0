// A vector instruction of n elements takes issue + ceil(n / rate) cycles, the rate by generation, opcode and types (reference: the SDK's
// table); reads in conflicting banks take a second cycle.
#include <cmath>
#include <gtest/gtest.h>
#include <string>

#include "models/machine.h"
#include "tests/models/one_core.h"

namespace wafersim::models {
namespace {

using sim::Dtype;
constexpr Dtype h = Dtype::f16, s = Dtype::f32;

// Two sources whose reads fall into different banks, and a destination.
constexpr int a_at = 0, b_at = 1024 + 4, dst_at = 2048;

std::uint64_t busy_cycles(const CoreSpec& spec, const Instruction& instruction, std::uint64_t* conflicts = nullptr) {
  OneCore one(free_control(spec), [&](Assembler& a) {
    a.vector(instruction.op, instruction.dst, instruction.a, instruction.b, instruction.n, instruction.rows) = instruction;
    a.end_task();
  });
  one.run();
  if (conflicts != nullptr) *conflicts = one.cycles(Activity::bank_conflict);
  return one.cycles(Activity::compute) + one.cycles(Activity::reduce);
}

Instruction vector(Opcode op, Dtype dst, Dtype a, Dtype b, int n, int b_address = b_at) {
  Instruction i;
  i.op = op;
  i.dst = memory(dst, imm(dst_at));
  i.a = memory(a, imm(a_at));
  if (op != Opcode::mov && !(op >= Opcode::neg && op <= Opcode::recip)) i.b = memory(b, imm(b_address));
  i.n = imm(n);
  return i;
}

struct Row {
  const char* name;
  Opcode op;
  Dtype dst, a, b;
  double wse2, wse3;  // elements a cycle
};
class RateTableRow : public testing::TestWithParam<Row> {};

TEST_P(RateTableRow, GivesTheCyclesOfAnInstructionOnBothGenerations) {
  const Row& row = GetParam();
  for (const int n : {1, 2, 7, 16, 33}) {
    const Instruction i = vector(row.op, row.dst, row.a, row.b, n);
    for (const auto& [name, rate] : {std::pair{"cs2", row.wse2}, std::pair{"cs3", row.wse3}}) {
      const CoreSpec spec = machine_preset(name).core;
      const auto elements = static_cast<std::uint64_t>(std::ceil(n / rate - 1e-9));
      EXPECT_EQ(busy_cycles(spec, i), static_cast<std::uint64_t>(spec.issue_cycles) + elements) << row.name << " n " << n << " on " << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Table, RateTableRow,
                         testing::Values(Row{"AddHalf", Opcode::add, h, h, h, 4, 8}, Row{"AddSingle", Opcode::add, s, s, s, 2, 4},
                                         Row{"SubMixed", Opcode::sub, s, h, s, 2, 4}, Row{"MulHalf", Opcode::mul, h, h, h, 4, 8},
                                         Row{"MulSingle", Opcode::mul, s, s, s, 1, 1}, Row{"MaxHalf", Opcode::max, h, h, h, 1, 8},
                                         Row{"MaxSingle", Opcode::max, s, s, s, 1, 4}, Row{"FmaHalf", Opcode::fma, h, h, h, 4, 8},
                                         Row{"FmaMixed", Opcode::fma, s, h, h, 2, 4}, Row{"FmaSingle", Opcode::fma, s, s, s, 1, 1},
                                         Row{"MovHalf", Opcode::mov, h, h, h, 4, 8}, Row{"MovSingle", Opcode::mov, s, s, s, 2, 4},
                                         Row{"Widen", Opcode::mov, s, h, h, 1, 4}, Row{"Narrow", Opcode::mov, h, s, s, 1, 4},
                                         Row{"Exp", Opcode::exp, s, s, s, 1.0 / 12, 1.0 / 12},
                                         Row{"Rsqrt", Opcode::rsqrt, s, s, s, 1.0 / 16, 1.0 / 16}),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(VectorTiming, AConflictOfBanksDoublesTheCyclesOfTheElements) {
  std::uint64_t conflicts = 0;
  EXPECT_EQ(busy_cycles({}, vector(Opcode::add, s, s, s, 32, 1024), &conflicts), 1u + 16);
  EXPECT_EQ(conflicts, 16u);
  busy_cycles({}, vector(Opcode::add, s, s, s, 32, 1024 + 4), &conflicts);
  EXPECT_EQ(conflicts, 0u);
}

TEST(VectorTiming, OneReadServesTwoSourcesThatAreTheSame) {
  std::uint64_t conflicts = 1;
  busy_cycles({}, vector(Opcode::mul, s, s, s, 32, a_at), &conflicts);
  EXPECT_EQ(conflicts, 0u);
}

TEST(VectorTiming, MoreAccumulatorsThanTheCacheHoldsRunAtHalfRate) {
  const auto cycles = [](const char* machine, int n) { return busy_cycles(machine_preset(machine).core, vector(Opcode::fma, s, h, h, n)); };
  EXPECT_EQ(cycles("cs2", 64), 1u + 32);
  EXPECT_EQ(cycles("cs2", 66), 1u + 66);
  EXPECT_EQ(cycles("cs3", 128), 1u + 32);
  EXPECT_EQ(cycles("cs3", 132), 1u + 66);
}

TEST(VectorTiming, EveryRowWithItsOwnAccumulatorsIsIssued) {
  CoreSpec spec;
  spec.issue_cycles = 3;
  Instruction i = vector(Opcode::fma, s, h, h, 16);
  i.rows = imm(5);
  i.b = memory_scalar(h, imm(b_at), 1);  // a scalar a row
  EXPECT_EQ(busy_cycles(spec, i), 5u * (3 + 8));
}

TEST(VectorTiming, RowsOfOneMapAreIssuedOnce) {
  CoreSpec spec;
  spec.issue_cycles = 3;
  Instruction i = vector(Opcode::add, s, s, s, 16);
  i.rows = imm(5);
  i.dst.row_stride = i.a.row_stride = i.b.row_stride = 16;
  EXPECT_EQ(busy_cycles(spec, i), 3u + 5 * 8);
}

TEST(VectorTiming, ANewOutputCostsItsSwitch) {
  Instruction i = vector(Opcode::fma, s, h, h, 16);
  i.new_output = true;
  OneCore one(free_control(), [&](Assembler& a) {
    a.vector(i.op, i.dst, i.a, i.b, i.n) = i;
    a.end_task();
  });
  one.run();
  EXPECT_EQ(one.cycles(Activity::output_switch), 10u);
  EXPECT_EQ(one.cycles(Activity::compute), 1u + 8);
}

TEST(VectorTiming, NothingToDoTakesNoTime) { EXPECT_EQ(busy_cycles({}, vector(Opcode::add, s, s, s, 0)), 0u); }

}  // namespace
}  // namespace wafersim::models
