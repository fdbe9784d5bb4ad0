#include <fmt/format.h>

#include "models/program.h"

namespace wafersim::models {
namespace {

const char* type_name(sim::Dtype type) {
  switch (type) {
    case sim::Dtype::f16: return "f16";
    case sim::Dtype::bf16: return "bf16";
    case sim::Dtype::f32: return "f32";
    case sim::Dtype::u32: return "u32";
  }
  return "?";
}

std::string text(const Value& v) {
  if (v.reg < 0) return fmt::format("{}", v.immediate);
  return v.immediate == 0 ? fmt::format("r{}", v.reg) : fmt::format("r{}{:+}", v.reg, v.immediate);
}

std::string text(const Operand& o) {
  switch (o.kind) {
    case Operand::Kind::none: return "-";
    case Operand::Kind::memory: {
      std::string s = fmt::format("{}[{}", type_name(o.type), text(o.base));
      if (o.element_stride != 1) s += fmt::format(" step {}", o.element_stride);
      if (o.row_stride != 0) s += fmt::format(" row {}", o.row_stride);
      return s + "]";
    }
    case Operand::Kind::input: return fmt::format("{}{} in{}", o.element_stride == 0 ? "each " : "", type_name(o.type), o.queue);
    case Operand::Kind::output: return fmt::format("{} out{}", type_name(o.type), o.queue);
    case Operand::Kind::immediate: return fmt::format("{}", o.immediate);
  }
  return "?";
}

std::string vector_text(const Instruction& i) {
  std::string s = fmt::format("{} {} <- {}", mnemonic(i.op), text(i.dst), text(i.a));
  if (i.b.kind != Operand::Kind::none) s += fmt::format(", {}", text(i.b));
  if (i.op == Opcode::select_equal) s += fmt::format(" where {}", text(i.value));
  s += fmt::format(" n {}", text(i.n));
  if (i.rows != Value{1, -1}) s += fmt::format(" rows {}", text(i.rows));
  if (i.from_zero) s += " from_zero";
  if (i.new_output) s += " new_output";
  if (i.advance) s += " advance";
  if (i.control) s += " control";
  if (i.microthread >= 0) s += fmt::format(" microthread {}", i.microthread);
  if (i.then_activate >= 0) s += fmt::format(" then activate {}", i.then_activate);
  if (i.then_unblock >= 0) s += fmt::format(" then unblock {}", i.then_unblock);
  return s;
}

}  // namespace

std::string disassemble(const Instruction& i) {
  const char* m = mnemonic(i.op);
  switch (i.op) {
    case Opcode::mov:
    case Opcode::add:
    case Opcode::sub:
    case Opcode::mul:
    case Opcode::fma:
    case Opcode::max:
    case Opcode::neg:
    case Opcode::exp:
    case Opcode::log:
    case Opcode::tanh:
    case Opcode::erf:
    case Opcode::sin:
    case Opcode::cos:
    case Opcode::rsqrt:
    case Opcode::recip:
    case Opcode::select_equal: return vector_text(i);
    case Opcode::set:
    case Opcode::add_integer:
    case Opcode::sub_integer:
    case Opcode::mul_integer:
    case Opcode::min_integer: return fmt::format("{} r{}, {}", m, i.reg, text(i.value));
    case Opcode::load: return fmt::format("load r{}..r{} <- [{}]", i.reg, i.reg + i.n.immediate - 1, text(i.value));
    case Opcode::loop: return fmt::format("loop {} else {}", text(i.value), i.target);
    case Opcode::jump: return fmt::format("jump {}", i.target);
    case Opcode::branch_equal:
    case Opcode::branch_not_equal:
    case Opcode::branch_less: return fmt::format("{} r{}, {} to {}", m, i.reg, text(i.value), i.target);
    case Opcode::bind_input:
    case Opcode::bind_output: return fmt::format("{} {} color {}", m, i.queue, text(i.value));
    case Opcode::activate:
    case Opcode::block:
    case Opcode::unblock: return fmt::format("{} task {}", m, i.task);
    case Opcode::end_loop:
    case Opcode::end_task: return m;
  }
  return "?";
}

std::string disassemble(const Program& program) {
  std::string s;
  for (std::size_t at = 0; at < program.code.size(); ++at) {
    for (const auto& [id, task] : program.tasks)
      if (task.entry == static_cast<std::int32_t>(at)) s += fmt::format("task {} {}:\n", id, task.name);
    s += fmt::format("{:5}  {}\n", at, disassemble(program.code[at]));
  }
  return s;
}

}  // namespace wafersim::models
