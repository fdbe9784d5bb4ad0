#pragma once
// The format that a core executes: PE programs are data. One program is shared by all PEs of a class; what differs from PE to PE is the
// initial value of a few integer registers. Opcodes name machine operations, never ops of a model.
//
// A vector instruction works on `rows` rows of `n` elements. Element k of row r of an operand in memory is at
//   base + (r * row_stride + k * element_stride) * bytes_of(type),
// of a fabric operand with element_stride 1 the next element of the queue, with element_stride 0 one element a row, which triggers the row.
// 16-bit fabric operands (fp16, bf16) travel two elements a wavelet, the first in the low half; a row (an instruction, for triggering
// scalars) ends on a wavelet's boundary. Sources read 16 bits or fp32, arithmetic is fp32, destinations of 16 bits are rounded.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/dtype.h"

namespace wafersim::models {

enum class Opcode : std::uint8_t {
  // vector: dst = f(a, b)
  mov,  // a, with conversion between 16 bits and fp32; u32 moves raw words
  add,  // a + b
  sub,  // a - b
  mul,  // a * b
  fma,  // fma(a, b, dst); with from_zero, dst is +0 when the instruction first touches it
  max,  // a > b ? a : b
  neg,  // -a
  exp,  // functions of a
  log,
  tanh,
  erf,
  sin,
  cos,
  rsqrt,
  recip,
  select_equal,  // (u32) a == value ? b : dst
  // integer control; value = immediate + register
  set,          // reg = value
  add_integer,  // reg = reg + value
  sub_integer,  // reg = reg - value
  mul_integer,  // reg = reg * value
  min_integer,  // reg = min(reg, value)
  load,         // reg, reg + 1, ... = the `n` 32-bit words at address value
  loop,         // runs the instructions up to its end_loop value times; iterations cost nothing
  end_loop,
  jump,          // to target
  branch_equal,  // to target if reg == value
  branch_not_equal,
  branch_less,  // to target if reg < value
  bind_input,   // input queue `queue` takes color value; none when negative
  bind_output,  // output queue `queue` sends on color value
  activate,     // task `task`
  block,
  unblock,
  end_task,
};

constexpr int register_count = 32;
constexpr int task_count = 64;
constexpr int queue_count = 8;        // of input and of output [C: SDK]
constexpr int microthread_count = 8;  // [C: SDK]

// immediate + register (none: -1)
struct Value {
  std::int32_t immediate = 0;
  std::int16_t reg = -1;
  friend bool operator==(const Value&, const Value&) = default;
};

struct Operand {
  enum class Kind : std::uint8_t { none, memory, input, output, immediate };
  Kind kind = Kind::none;
  sim::Dtype type = sim::Dtype::f32;
  std::uint8_t queue = 0;
  Value base;  // byte address
  std::int32_t element_stride = 1;
  std::int32_t row_stride = 0;
  float immediate = 0;
  friend bool operator==(const Operand&, const Operand&) = default;
};

struct Instruction {
  Opcode op = Opcode::end_task;
  // vector
  Operand dst, a, b;
  Value n{1, -1};
  Value rows{1, -1};
  bool from_zero = false;          // fma: see above
  bool new_output = false;         // turns to a new output's accumulators: costs core.output_switch_cycles
  bool advance = false;            // to fabric: moves the own router's switch after the last wavelet
  bool control = false;            // to fabric: wavelets are control wavelets
  std::int8_t microthread = -1;    // >= 0: asynchronous
  std::int8_t then_activate = -1;  // asynchronous: task to activate when done
  std::int8_t then_unblock = -1;   // asynchronous: task to unblock when done
  // control
  Value value;
  std::int8_t reg = -1;
  std::uint8_t queue = 0;
  std::uint8_t task = 0;
  std::int32_t target = 0;  // index of an instruction
  friend bool operator==(const Instruction&, const Instruction&) = default;
};

bool is_vector(Opcode op);

// A task starts at `entry` and runs to its end_task. Control tasks are activated by a control wavelet that carries their id, data tasks by
// a wavelet at the head of `queue`; both find the payload (control: its number) in register payload_register.
struct Task {
  enum class Kind : std::uint8_t { local, control, data };
  Kind kind = Kind::local;
  std::int32_t entry = 0;
  std::uint8_t queue = 0;
  std::int8_t payload_register = -1;
  bool blocked = false;  // at the start
  std::string name;
  friend bool operator==(const Task&, const Task&) = default;
};

struct Program {
  std::vector<Instruction> code;
  std::map<int, Task> tasks;  // by id
  int completion_task = -1;   // its activation tells the statistics that a PE has finished a kernel; -1: none
  friend bool operator==(const Program&, const Program&) = default;
};

// Bytes that code and descriptors take in SRAM. An instruction names the descriptors of its operands in memory and fabric: place, type,
// strides and counts. Those that are equal in all of them are held once [A].
int program_bytes(const Program& program, int instruction_bytes, int descriptor_bytes);

// Refuses what the core could not execute (Error(plan), naming the instruction): registers, queues, tasks or targets that do not exist,
// more than one fabric input, immediates that are not finite, operand types that no row of the rate table covers, unbalanced loops.
void check_program(const Program& program);

// One line an instruction, with labels and task names.
std::string disassemble(const Program& program);
std::string disassemble(const Instruction& instruction);
const char* mnemonic(Opcode op);

std::string to_json(const Program& program);
// Error(config) on what to_json would not write: unknown keys, wrong types, numbers out of range, a task twice. Error(plan): check_program.
Program program_from_json(const std::string& text);

}  // namespace wafersim::models
