#include "models/program.h"

#include <gtest/gtest.h>
#include <limits>
#include <string>

#include "models/assembler.h"
#include "sim/error.h"

namespace wafersim::models {
namespace {

using sim::Dtype;

// One of everything.
Program everything() {
  Assembler a;
  a.task(0, "start").payload_register = 3;
  a.bind_input(1, imm(4));
  a.bind_output(2, reg(5, 1));
  a.set(1, imm(-7));
  a.add_integer(1, reg(2, 9));
  a.sub_integer(1, imm(1));
  a.mul_integer(1, imm(2));
  a.min_integer(1, imm(3));
  a.load(8, 4, reg(1));
  const auto over = a.label();
  a.branch_equal(1, imm(3), over);
  a.branch_not_equal(1, imm(3), over);
  a.branch_less(1, reg(2), over);
  a.jump(over);
  a.bind(over);
  a.loop(reg(6), [&] {
    Instruction& map =
        a.fma(memory(Dtype::f32, reg(7, 64)), memory(Dtype::f16, imm(0), 2, 16), input_scalar(Dtype::f16, 1), imm(8), reg(9));
    map.from_zero = map.new_output = true;
  });
  for (const Opcode op :
       {Opcode::neg, Opcode::exp, Opcode::log, Opcode::tanh, Opcode::erf, Opcode::sin, Opcode::cos, Opcode::rsqrt, Opcode::recip})
    a.unary(op, memory(Dtype::f32, imm(0)), memory(Dtype::f32, imm(32)), imm(8));
  a.sub(memory(Dtype::f32, imm(0)), memory(Dtype::f32, imm(64)), constant(0.1f), imm(8));
  a.max(memory(Dtype::f16, imm(0)), memory(Dtype::f16, imm(64)), memory_scalar(Dtype::f16, imm(2)), imm(8));
  a.mul(memory(Dtype::f32, imm(0)), memory(Dtype::f32, imm(64)), memory(Dtype::f32, imm(132)), imm(8));
  a.select_equal(memory(Dtype::f32, imm(0)), memory(Dtype::u32, imm(64)), memory(Dtype::f32, imm(132)), reg(4), imm(8));
  Instruction& aside = a.add(output(Dtype::f32, 2), memory(Dtype::f32, imm(0)), input(Dtype::f32, 3), imm(8));
  aside.microthread = 3;
  aside.then_activate = 2;
  aside.then_unblock = 4;
  aside.advance = true;
  a.mov(output(Dtype::u32, 2), memory(Dtype::u32, imm(0)), imm(1)).control = true;
  a.activate(2);
  a.block(2);
  a.unblock(2);
  a.end_task();
  Task& data = a.task(2, "data", Task::Kind::data);
  data.queue = 3;
  data.blocked = true;
  a.end_task();
  a.task(4, "control", Task::Kind::control);
  a.end_task();
  a.completion_task(4);
  return a.finish();
}

TEST(Program, ComesBackFromJsonAsItWas) {
  const Program program = everything();
  const std::string text = to_json(program);
  EXPECT_TRUE(program_from_json(text) == program);
  EXPECT_EQ(to_json(program_from_json(text)), text);
}

TEST(Program, UsesEveryOpcodeInTheRoundTrip) {
  std::vector<bool> used(static_cast<std::size_t>(Opcode::end_task) + 1);
  for (const Instruction& i : everything().code) used[static_cast<std::size_t>(i.op)] = true;
  for (std::size_t op = 0; op < used.size(); ++op)
    EXPECT_TRUE(used[op] || static_cast<Opcode>(op) == Opcode::add) << mnemonic(static_cast<Opcode>(op));
}

TEST(Program, DisassemblesToALineAnInstructionWithTaskNames) {
  const std::string text = disassemble(everything());
  for (const char* line :
       {"start", "data", "control", "bind_input 1 color 4", "bind_output 2 color r5+1", "load r8..r11 <- [r1]",
        "fma f32[r7+64] <- f16[0 step 2 row 16], each f16 in1 n 8 rows r9 from_zero new_output",
        "add f32 out2 <- f32[0], f32 in3 n 8 advance microthread 3 then activate 2 then unblock 4", "where r4", "activate task 2"})
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
}

TEST(Program, TakesEightBytesAnInstructionAndADescriptorInSram) {
  Assembler a;
  a.task(0, "start");
  a.mul(memory(Dtype::f32, imm(0)), memory(Dtype::f32, imm(64)), constant(2.0f), imm(8));  // two descriptors
  a.mov(output(Dtype::f32, 2), memory(Dtype::f32, imm(4)), imm(8));                        // two
  a.end_task();
  EXPECT_EQ(program_bytes(a.finish(), 8, 8), 3 * 8 + 4 * 8);
}

TEST(Program, HoldsDescriptorsThatAreEqualInPlaceTypeStridesAndCountsOnce) {
  const auto descriptors = [](const Operand& another, Value n, Value rows) {
    Assembler a;
    a.task(0, "start");
    a.mov(memory(Dtype::f32, reg(1)), constant(0.0f), imm(8));
    a.mov(another, constant(0.0f), n, rows);
    a.end_task();
    return program_bytes(a.finish(), 0, 1);
  };
  EXPECT_EQ(descriptors(memory(Dtype::f32, reg(1)), imm(8), imm(1)), 1);
  EXPECT_EQ(descriptors(memory(Dtype::f32, reg(2)), imm(8), imm(1)), 2);
  EXPECT_EQ(descriptors(memory(Dtype::f32, reg(1, 4)), imm(8), imm(1)), 2);
  EXPECT_EQ(descriptors(memory(Dtype::f16, reg(1)), imm(8), imm(1)), 2);
  EXPECT_EQ(descriptors(memory(Dtype::f32, reg(1), 2), imm(8), imm(1)), 2);
  EXPECT_EQ(descriptors(memory(Dtype::f32, reg(1)), reg(3), imm(1)), 2);
  EXPECT_EQ(descriptors(memory(Dtype::f32, reg(1)), imm(8), imm(2)), 2);
  EXPECT_EQ(descriptors(output(Dtype::f32, 1), imm(8), imm(1)), 2);
}

std::string refusal(const std::string& text) {
  try {
    program_from_json(text);
  } catch (const sim::Error& error) {
    return std::string(name(error.category())) + ": " + error.what();
  }
  return "accepted";
}

TEST(Program, JsonThatIsNotAProgramIsAConfigError) {
  for (
      const char* text :
      {"", "[]", "{", R"({"code": [{"op": "fly"}], "tasks": [], "completion_task": -1})",
       R"({"code": [{"op": "set", "reg": 32}], "tasks": [], "completion_task": -1})",
       R"({"code": [{"op": "set", "value": 3}], "tasks": [], "completion_task": -1})",
       R"({"code": [{"op": "set", "reg": 1.5}], "tasks": [], "completion_task": -1})",
       R"({"code": [{"op": "set", "reg": 18446744073709551615}], "tasks": [], "completion_task": -1})",
       R"({"code": [{"op": "set", "reg": 1, "value": [0, 65535]}], "tasks": [], "completion_task": -1})",
       R"({"code": [{"op": "set", "reg": 1, "value": [4294967296, -1]}], "tasks": [], "completion_task": -1})",
       R"({"code": [{"op": "set", "reg": 1, "valeu": [1, -1]}], "tasks": [], "completion_task": -1})",
       R"({"code": [{"op": "jump", "target": 4294967296}], "tasks": [], "completion_task": -1})",
       R"({"code": [], "code": [], "tasks": [], "completion_task": -1})",
       R"({"code": [], "tasks": [{"id": 64, "kind": 0, "entry": 0, "queue": 0, "payload_register": -1, "blocked": false, "name": ""}], "completion_task": -1})"})
    EXPECT_EQ(refusal(text).rfind("config: ", 0), 0u) << text << " gives " << refusal(text);
}

TEST(Program, JsonThatGivesATaskTwiceIsAConfigError) {
  const std::string task = R"({"id": 1, "kind": 0, "entry": 0, "queue": 0, "payload_register": -1, "blocked": false, "name": ""})";
  const auto program = [](const std::string& tasks) {
    return R"({"code": [{"op": "end_task"}], "tasks": [)" + tasks + R"(], "completion_task": -1})";
  };
  EXPECT_EQ(refusal(program(task)), "accepted");
  EXPECT_EQ(refusal(program(task + ", " + task)), "config: PE program: task 1 is given twice");
}

// What the core could not execute.
template <class Body>
void expect_refused(const char* why, Body&& body) {
  Assembler a;
  a.task(0, "start");
  try {
    body(a);
    a.end_task();
    a.finish();
    ADD_FAILURE() << "accepted: " << why;
  } catch (const sim::Error& error) {
    EXPECT_EQ(error.category(), sim::ErrorCategory::plan);
    EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
  }
}

TEST(Program, RefusesWhatTheCoreCouldNotExecute) {
  const Operand m = memory(Dtype::f32, imm(0));
  expect_refused("at most one fabric input", [&](Assembler& a) { a.add(m, input(Dtype::f32, 0), input(Dtype::f32, 1), imm(4)); });
  expect_refused("no such queue", [&](Assembler& a) { a.mov(m, input(Dtype::f32, 8), imm(4)); });
  expect_refused("no such register", [&](Assembler& a) { a.mov(m, memory(Dtype::f32, reg(40)), imm(4)); });
  expect_refused("no such microthread", [&](Assembler& a) { a.mov(m, m, imm(4)).microthread = 8; });
  expect_refused("accumulates", [&](Assembler& a) { a.fma(output(Dtype::f32, 1), m, m, imm(4)); });
  expect_refused("only mov turns a number into one of 16 bits", [&](Assembler& a) { a.add(memory(Dtype::f16, imm(0)), m, m, imm(4)); });
  expect_refused("only mov turns a number into one of 16 bits",
                 [&](Assembler& a) { a.add(memory(Dtype::f16, imm(0)), memory(Dtype::bf16, imm(0)), m, imm(4)); });
  expect_refused("fabric elements pass through", [&](Assembler& a) { a.unary(Opcode::exp, m, input(Dtype::f32, 0), imm(4)); });
  expect_refused("ends a task inside a loop", [&](Assembler& a) { a.loop(imm(2), [&] { a.end_task(); }); });
  expect_refused("an immediate is finite", [&](Assembler& a) { a.add(m, m, constant(std::numeric_limits<float>::infinity()), imm(4)); });
  expect_refused("loads past the last register", [&](Assembler& a) { a.load(30, 3, imm(0)); });
}

}  // namespace
}  // namespace wafersim::models
