#include "models/program.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>

#include "sim/error.h"

namespace wafersim::models {
namespace {

constexpr std::array<const char*, 34> mnemonics = {
    "mov",         "add",         "sub",         "mul",      "fma",   "max",      "neg",          "exp",          "log",
    "tanh",        "erf",         "sin",         "cos",      "rsqrt", "recip",    "select_equal", "set",          "add_integer",
    "sub_integer", "mul_integer", "min_integer", "load",     "loop",  "end_loop", "jump",         "branch_equal", "branch_not_equal",
    "branch_less", "bind_input",  "bind_output", "activate", "block", "unblock",  "end_task"};

[[noreturn]] void refuse(std::size_t at, const Instruction& i, const char* why) {
  throw sim::Error(sim::ErrorCategory::plan, fmt::format("instruction {} ({}): {}", at, disassemble(i), why));
}

void check_value(std::size_t at, const Instruction& i, const Value& v) {
  if (v.reg < -1 || v.reg >= register_count) refuse(at, i, "no such register");
}

bool is_fabric(const Operand& o) { return o.kind == Operand::Kind::input || o.kind == Operand::Kind::output; }

void check_vector(std::size_t at, const Instruction& i) {
  using Kind = Operand::Kind;
  for (const Operand* o : {&i.dst, &i.a, &i.b}) {
    check_value(at, i, o->base);
    if (!std::isfinite(o->immediate)) refuse(at, i, "an immediate is finite");
    if (is_fabric(*o) && o->queue >= queue_count) refuse(at, i, "no such queue");
    if (is_fabric(*o) && o->element_stride != 0 && o->element_stride != 1) refuse(at, i, "a fabric operand has element stride 0 or 1");
  }
  check_value(at, i, i.n);
  check_value(at, i, i.rows);
  if (i.dst.kind != Kind::memory && i.dst.kind != Kind::output) refuse(at, i, "the destination is memory or an output queue");
  if (i.a.kind == Kind::none || i.a.kind == Kind::output || i.b.kind == Kind::output)
    refuse(at, i, "sources are memory, an input queue or an immediate");
  if (i.a.kind == Kind::input && i.b.kind == Kind::input) refuse(at, i, "at most one fabric input");
  const bool unary = i.op == Opcode::mov || (i.op >= Opcode::neg && i.op <= Opcode::recip);
  if (unary != (i.b.kind == Kind::none)) refuse(at, i, "wrong number of sources");
  const bool accumulates = i.op == Opcode::fma || i.op == Opcode::select_equal;
  if (accumulates && i.dst.kind != Kind::memory) refuse(at, i, "accumulates, so the destination is memory");
  const bool any_fabric_element =
      (is_fabric(i.dst) || (is_fabric(i.a) && i.a.element_stride == 1) || (is_fabric(i.b) && i.b.element_stride == 1));
  if (any_fabric_element && (i.op > Opcode::neg || i.op == Opcode::fma))
    refuse(at, i, "fabric elements pass through mov, add, sub, mul, max and neg only");
  if (is_fabric(i.dst) && i.dst.element_stride == 0) refuse(at, i, "an output operand has element stride 1");
  if (i.microthread < -1 || i.microthread >= microthread_count) refuse(at, i, "no such microthread");
  if (i.microthread < 0 && (i.then_activate >= 0 || i.then_unblock >= 0))
    refuse(at, i, "only asynchronous instructions activate or unblock");
  if ((i.advance || i.control) && i.dst.kind != Kind::output)
    refuse(at, i, "only outputs to the fabric move switches or send control wavelets");
  const auto wide = [](const Operand& o) { return sim::bytes_of(o.type); };
  for (const Operand* o : {&i.a, &i.b})
    if (is_fabric(*o) && o->element_stride == 1 && is_fabric(i.dst) && wide(*o) != wide(i.dst))
      refuse(at, i, "fabric operands of one instruction have one width");
  if (i.op != Opcode::mov && i.op != Opcode::select_equal && sim::is_half(i.dst.type)) {
    for (const Operand* o : {&i.a, &i.b})
      if ((o->kind == Kind::memory || o->kind == Kind::input) && o->type != i.dst.type)
        refuse(at, i, "only mov turns a number into one of 16 bits");
  }
}

}  // namespace

bool is_vector(Opcode op) { return op <= Opcode::select_equal; }

const char* mnemonic(Opcode op) { return mnemonics[static_cast<std::size_t>(op)]; }

int program_bytes(const Program& program, int instruction_bytes, int descriptor_bytes) {
  struct Descriptor {
    Operand operand;
    Value n, rows;
    bool operator==(const Descriptor&) const = default;
  };
  std::vector<Descriptor> held;
  for (const Instruction& i : program.code) {
    if (!is_vector(i.op)) continue;
    for (const Operand* o : {&i.dst, &i.a, &i.b}) {
      if (o->kind != Operand::Kind::memory && !is_fabric(*o)) continue;
      const Descriptor descriptor{*o, i.n, i.rows};
      if (std::find(held.begin(), held.end(), descriptor) == held.end()) held.push_back(descriptor);
    }
  }
  return static_cast<int>(program.code.size()) * instruction_bytes + static_cast<int>(held.size()) * descriptor_bytes;
}

void check_program(const Program& program) {
  const auto size = static_cast<std::int32_t>(program.code.size());
  int depth = 0;
  for (std::size_t at = 0; at < program.code.size(); ++at) {
    const Instruction& i = program.code[at];
    if (is_vector(i.op)) {
      check_vector(at, i);
      if (i.op == Opcode::select_equal) check_value(at, i, i.value);
      continue;
    }
    check_value(at, i, i.value);
    const bool writes = i.op >= Opcode::set && i.op <= Opcode::load;
    const bool compares = i.op >= Opcode::branch_equal && i.op <= Opcode::branch_less;
    if ((writes || compares) && (i.reg < 0 || i.reg >= register_count)) refuse(at, i, "no such register");
    if (i.op == Opcode::load && (i.n.reg != -1 || i.n.immediate < 1 || i.reg + i.n.immediate > register_count))
      refuse(at, i, "loads past the last register");
    if ((compares || i.op == Opcode::jump || i.op == Opcode::loop) && (i.target < 0 || i.target >= size)) refuse(at, i, "no such target");
    if (i.task >= task_count) refuse(at, i, "no such task");
    if (i.queue >= queue_count) refuse(at, i, "no such queue");
    if (i.op == Opcode::loop) ++depth;
    if (i.op == Opcode::end_loop && --depth < 0) refuse(at, i, "ends no loop");
    if (i.op == Opcode::end_task && depth != 0) refuse(at, i, "ends a task inside a loop");
  }
  if (depth != 0) throw sim::Error(sim::ErrorCategory::plan, "a loop of a PE program has no end_loop");
  for (const auto& [id, task] : program.tasks)
    if (id < 0 || id >= task_count || task.entry < 0 || task.entry >= size)
      throw sim::Error(sim::ErrorCategory::plan,
                       fmt::format("task {} ({}) of a PE program has no such id or entry {}", id, task.name, task.entry));
}

}  // namespace wafersim::models
