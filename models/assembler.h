#pragma once
// Writes PE programs: operands by function, instructions by method, labels instead of instruction numbers. finish() checks the program.

#include <initializer_list>
#include <string>
#include <vector>

#include "models/program.h"

namespace wafersim::models {

inline Value imm(std::int32_t value) { return {value, -1}; }
inline Value reg(int r, std::int32_t plus = 0) { return {plus, static_cast<std::int16_t>(r)}; }

// An array in SRAM; strides in elements.
inline Operand memory(sim::Dtype type, Value base, int element_stride = 1, int row_stride = 0) {
  return {Operand::Kind::memory, type, 0, base, element_stride, row_stride, 0.0f};
}
// The same value for all elements of a row, from SRAM.
inline Operand memory_scalar(sim::Dtype type, Value base, int row_stride = 0) { return memory(type, base, 0, row_stride); }
inline Operand input(sim::Dtype type, int queue) { return {Operand::Kind::input, type, static_cast<std::uint8_t>(queue), {}, 1, 0, 0.0f}; }
// One element a row: triggers it.
inline Operand input_scalar(sim::Dtype type, int queue) {
  return {Operand::Kind::input, type, static_cast<std::uint8_t>(queue), {}, 0, 0, 0.0f};
}
inline Operand output(sim::Dtype type, int queue) {
  return {Operand::Kind::output, type, static_cast<std::uint8_t>(queue), {}, 1, 0, 0.0f};
}
inline Operand constant(float value, sim::Dtype type = sim::Dtype::f16) { return {Operand::Kind::immediate, type, 0, {}, 0, 0, value}; }

class Assembler {
 public:
  using Label = int;

  // Vector instructions. The reference returned is valid until the next instruction: set further fields on it.
  Instruction& vector(Opcode op, const Operand& dst, const Operand& a, const Operand& b, Value n, Value rows = imm(1));
  Instruction& mov(const Operand& dst, const Operand& a, Value n, Value rows = imm(1)) { return vector(Opcode::mov, dst, a, {}, n, rows); }
  Instruction& add(const Operand& dst, const Operand& a, const Operand& b, Value n, Value rows = imm(1)) {
    return vector(Opcode::add, dst, a, b, n, rows);
  }
  Instruction& sub(const Operand& dst, const Operand& a, const Operand& b, Value n, Value rows = imm(1)) {
    return vector(Opcode::sub, dst, a, b, n, rows);
  }
  Instruction& mul(const Operand& dst, const Operand& a, const Operand& b, Value n, Value rows = imm(1)) {
    return vector(Opcode::mul, dst, a, b, n, rows);
  }
  Instruction& fma(const Operand& dst, const Operand& a, const Operand& b, Value n, Value rows = imm(1)) {
    return vector(Opcode::fma, dst, a, b, n, rows);
  }
  Instruction& max(const Operand& dst, const Operand& a, const Operand& b, Value n, Value rows = imm(1)) {
    return vector(Opcode::max, dst, a, b, n, rows);
  }
  Instruction& unary(Opcode op, const Operand& dst, const Operand& a, Value n, Value rows = imm(1)) {
    return vector(op, dst, a, {}, n, rows);
  }
  // dst = b where the u32 array a equals key
  Instruction& select_equal(const Operand& dst, const Operand& a, const Operand& b, Value key, Value n, Value rows = imm(1));

  void set(int r, Value value) { control(Opcode::set, r, value); }
  void add_integer(int r, Value value) { control(Opcode::add_integer, r, value); }
  void sub_integer(int r, Value value) { control(Opcode::sub_integer, r, value); }
  void mul_integer(int r, Value value) { control(Opcode::mul_integer, r, value); }
  void min_integer(int r, Value value) { control(Opcode::min_integer, r, value); }
  void load(int first, int count, Value address);
  template <class Body>
  void loop(Value times, Body&& body) {
    const Label after = label();
    branch_to(Opcode::loop, -1, times, after);
    body();
    control(Opcode::end_loop, -1, {});
    bind(after);
  }
  Label label();
  void bind(Label label);
  void jump(Label to) { branch_to(Opcode::jump, -1, {}, to); }
  void branch_equal(int r, Value value, Label to) { branch_to(Opcode::branch_equal, r, value, to); }
  void branch_not_equal(int r, Value value, Label to) { branch_to(Opcode::branch_not_equal, r, value, to); }
  void branch_less(int r, Value value, Label to) { branch_to(Opcode::branch_less, r, value, to); }
  void bind_input(int queue, Value color) { control(Opcode::bind_input, -1, color).queue = static_cast<std::uint8_t>(queue); }
  void bind_output(int queue, Value color) { control(Opcode::bind_output, -1, color).queue = static_cast<std::uint8_t>(queue); }
  void activate(int task) { control(Opcode::activate, -1, {}).task = static_cast<std::uint8_t>(task); }
  void block(int task) { control(Opcode::block, -1, {}).task = static_cast<std::uint8_t>(task); }
  void unblock(int task) { control(Opcode::unblock, -1, {}).task = static_cast<std::uint8_t>(task); }
  void end_task() { control(Opcode::end_task, -1, {}); }

  // A task that begins at the next instruction.
  Task& task(int id, const std::string& name, Task::Kind kind = Task::Kind::local);
  void completion_task(int id) { program_.completion_task = id; }

  Program finish();

 private:
  Instruction& control(Opcode op, int r, Value value);
  void branch_to(Opcode op, int r, Value value, Label to);

  Program program_;
  std::vector<std::int32_t> labels_;  // instruction, or -1
  struct Use {
    std::size_t instruction;
    Label label;
  };
  std::vector<Use> uses_;
};

}  // namespace wafersim::models
