#include "models/assembler.h"

#include "sim/error.h"

namespace wafersim::models {

Instruction& Assembler::vector(Opcode op, const Operand& dst, const Operand& a, const Operand& b, Value n, Value rows) {
  Instruction i;
  i.op = op;
  i.dst = dst;
  i.a = a;
  i.b = b;
  i.n = n;
  i.rows = rows;
  program_.code.push_back(i);
  return program_.code.back();
}

Instruction& Assembler::select_equal(const Operand& dst, const Operand& a, const Operand& b, Value key, Value n, Value rows) {
  Instruction& i = vector(Opcode::select_equal, dst, a, b, n, rows);
  i.value = key;
  return i;
}

Instruction& Assembler::control(Opcode op, int r, Value value) {
  Instruction i;
  i.op = op;
  i.reg = static_cast<std::int8_t>(r);
  i.value = value;
  program_.code.push_back(i);
  return program_.code.back();
}

void Assembler::load(int first, int count, Value address) { control(Opcode::load, first, address).n = imm(count); }

Assembler::Label Assembler::label() {
  labels_.push_back(-1);
  return static_cast<Label>(labels_.size()) - 1;
}

void Assembler::bind(Label label) { labels_[static_cast<std::size_t>(label)] = static_cast<std::int32_t>(program_.code.size()); }

void Assembler::branch_to(Opcode op, int r, Value value, Label to) {
  control(op, r, value);
  uses_.push_back({program_.code.size() - 1, to});
}

Task& Assembler::task(int id, const std::string& name, Task::Kind kind) {
  Task t;
  t.kind = kind;
  t.name = name;
  t.entry = static_cast<std::int32_t>(program_.code.size());
  return program_.tasks[id] = t;
}

Program Assembler::finish() {
  for (const Use& use : uses_) {
    const std::int32_t target = labels_[static_cast<std::size_t>(use.label)];
    sim::require_invariant(target >= 0, "every label of a program is bound");
    program_.code[use.instruction].target = target;
  }
  check_program(program_);
  return program_;
}

}  // namespace wafersim::models
