// Integer control of a core: everything that is not a vector instruction.

#include <algorithm>
#include <cstring>

#include "models/core_block.h"
#include "sim/error.h"

namespace wafersim::models {

// Runs the task up to its next vector instruction (which it starts), its end, or a bound on how far one chunk looks ahead.
CoreBlock::Chunk CoreBlock::run_scalars(std::uint32_t pe, Cycle now) {
  constexpr std::int64_t longest = 64;
  CoreState& core = cores_[pe];
  const ProgramImage& image = images_[core.program];
  Chunk chunk;
  while (core.task >= 0 && chunk.busy < longest) {
    const DecodedInstruction& decoded = image.code[static_cast<std::size_t>(core.pc)];
    if (is_vector(decoded.ins.op)) {
      if (!start_vector(pe, decoded, chunk)) return chunk;
      if (core.main.decoded != nullptr) {
        if (chunk.total() > 0) return chunk;
        chunk = run_vector(pe, core.main, now);
        if (chunk.total() > 0 || core.main.decoded != nullptr) return chunk;
      }
    } else if (!run_scalar(pe, decoded.ins, now, chunk)) {
      return chunk;
    }
  }
  return chunk;
}

// One control instruction; false when the task has ended.
bool CoreBlock::run_scalar(std::uint32_t pe, const Instruction& i, Cycle now, Chunk& chunk) {
  CoreState& core = cores_[pe];
  const std::int32_t v = value(pe, i.value);
  std::int32_t& reg = core.reg[static_cast<std::size_t>(std::max<int>(i.reg, 0))];  // of instructions that have one
  std::int32_t next = core.pc + 1;
  chunk.busy += i.op == Opcode::end_loop || i.op == Opcode::end_task ? 0 : i.op == Opcode::loop ? spec_.loop_cycles : spec_.scalar_cycles;
  switch (i.op) {
    case Opcode::set: reg = v; break;
    case Opcode::add_integer: reg += v; break;
    case Opcode::sub_integer: reg -= v; break;
    case Opcode::mul_integer: reg *= v; break;
    case Opcode::min_integer: reg = std::min(reg, v); break;
    case Opcode::load:
      sim::require_invariant(v >= 0 && v + 4 * i.n.immediate <= sram_.bytes(), "a load stays inside the SRAM in use");
      std::memcpy(&reg, sram_.at(pe, v), 4u * static_cast<unsigned>(i.n.immediate));
      chunk.busy += static_cast<std::int64_t>(spec_.scalar_cycles) * (i.n.immediate - 1);
      break;
    case Opcode::loop:
      if (v <= 0) {
        next = i.target;
      } else {
        sim::require_invariant(core.loop_depth < CoreState::max_loops, "hardware loops nest four deep at most");
        core.loop[core.loop_depth++] = {next, v};
      }
      break;
    case Opcode::end_loop: {
      CoreState::Loop& loop = core.loop[core.loop_depth - 1u];
      if (--loop.left > 0)
        next = loop.begin;
      else
        --core.loop_depth;
      break;
    }
    case Opcode::jump: next = i.target; break;
    case Opcode::branch_equal:
      if (reg == v) next = i.target;
      break;
    case Opcode::branch_not_equal:
      if (reg != v) next = i.target;
      break;
    case Opcode::branch_less:
      if (reg < v) next = i.target;
      break;
    case Opcode::bind_input:
      if (v < 0)
        fabric_.unbind_input(pe, i.queue);
      else
        fabric_.bind_input(pe, i.queue, static_cast<fabric::Color>(v));
      break;
    case Opcode::bind_output: core.output_color[i.queue] = static_cast<std::uint8_t>(v); break;
    case Opcode::activate:
      core.activated |= 1ull << i.task;
      if (i.task == images_[core.program].completion_task)
        record(core.call).last_done = std::max(record(core.call).last_done, now + static_cast<Cycle>(chunk.busy));
      break;
    case Opcode::block: core.blocked |= 1ull << i.task; break;
    case Opcode::unblock: core.blocked &= ~(1ull << i.task); break;
    case Opcode::end_task: core.task = -1; return false;
    default: throw sim::Error(sim::ErrorCategory::invariant, "not a control opcode");
  }
  core.pc = next;
  return true;
}

}  // namespace wafersim::models
