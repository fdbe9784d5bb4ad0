// Vector instructions of a core, chunk by chunk.

#include <algorithm>
#include <fmt/format.h>

#include "models/alu.h"
#include "models/core_block.h"
#include "sim/error.h"
#include "sim/numerics/storage.h"

namespace wafersim::models {
namespace {

using Kind = Operand::Kind;

float as_float(std::uint32_t bits) {
  float value;
  static_assert(sizeof value == sizeof bits);
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

std::uint32_t as_bits(float value) {
  std::uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return bits;
}

// Element `k` (0 or 1) of a wavelet.
float unpack(std::uint32_t payload, sim::Dtype type, std::uint32_t k) {
  if (sim::bytes_of(type) == 4) return as_float(payload);
  return sim::numerics::from_16_bits(type, static_cast<std::uint16_t>(k == 0 ? payload : payload >> 16));
}

void pack(std::uint32_t& payload, sim::Dtype type, std::uint32_t k, float value) {
  if (sim::bytes_of(type) == 4)
    payload = as_bits(value);
  else
    payload |= static_cast<std::uint32_t>(sim::numerics::to_16_bits(type, value)) << (16 * k);
}

std::int32_t row_offset(const Operand& o, std::uint32_t row, std::uint32_t element) {
  return (static_cast<std::int32_t>(row) * o.row_stride + static_cast<std::int32_t>(element) * o.element_stride) * sim::bytes_of(o.type);
}

}  // namespace

// Sets up the task's next vector instruction; false when it is asynchronous and its microthread is in use.
bool CoreBlock::start_vector(std::uint32_t pe, const DecodedInstruction& decoded, Chunk& chunk) {
  CoreState& core = cores_[pe];
  const int microthread = decoded.ins.microthread;
  if (microthread >= 0 && (core.microthreads >> microthread & 1)) {
    chunk.waits_for = Activity::microthread_wait;
    return false;
  }
  resolve(pe, decoded, microthread < 0 ? core.main : core.microthread[static_cast<std::size_t>(microthread)]);
  ++core.pc;
  if (microthread >= 0) {
    core.microthreads |= static_cast<std::uint8_t>(1 << microthread);
    chunk.busy += spec_.scalar_cycles;
  }
  return true;
}

void CoreBlock::resolve(std::uint32_t pe, const DecodedInstruction& decoded, VectorState& v) {
  v = VectorState{};
  v.decoded = &decoded;
  v.n = static_cast<std::uint32_t>(std::max(0, value(pe, decoded.ins.n)));
  v.rows = static_cast<std::uint32_t>(std::max(0, value(pe, decoded.ins.rows)));
  v.key = static_cast<std::uint32_t>(value(pe, decoded.ins.value));
  v.row_cycles = static_cast<std::uint32_t>(decoded.cost.row_cycles(v.n));
  v.dst = checked_address(pe, decoded.ins.dst, v);
  v.a = checked_address(pe, decoded.ins.a, v);
  v.b = checked_address(pe, decoded.ins.b, v);
}

std::int32_t CoreBlock::checked_address(std::uint32_t pe, const Operand& o, const VectorState& v) const {
  if (o.kind != Kind::memory || v.n == 0 || v.rows == 0) return 0;
  const std::int32_t base = value(pe, o.base);
  const std::int32_t along_n = row_offset(o, 0, v.n - 1), along_rows = row_offset(o, v.rows - 1, 0);
  const std::int32_t low = base + std::min(0, along_n) + std::min(0, along_rows),
                     high = base + std::max(0, along_n) + std::max(0, along_rows) + sim::bytes_of(o.type);
  if (low < 0 || high > sram_.bytes()) {
    const fabric::Coord c = fabric_.coord(pe);
    throw sim::Error(sim::ErrorCategory::invariant, fmt::format("PE ({}, {}) reaches outside its {} bytes of SRAM: {} touches {}..{}", c.x,
                                                                c.y, sram_.bytes(), disassemble(v.decoded->ins), low, high));
  }
  return base;
}

CoreBlock::Chunk CoreBlock::run_vector(std::uint32_t pe, VectorState& v, Cycle now) {
  if (v.n == 0 || v.rows == 0) {
    finish(pe, v);
    return {};
  }
  const bool first = v.row == 0 && v.element == 0 && !v.issued;
  Chunk chunk = v.decoded->cost.streams     ? run_wavelet(pe, v, now)
                : v.decoded->cost.triggered ? run_triggered_row(pe, v, now)
                                            : run_rows(pe, v);
  if (first && chunk.total() > 0 && v.decoded->ins.new_output) chunk.output_switch += spec_.output_switch_cycles;
  if (chunk.total() > 0 && v.row == v.rows) finish(pe, v);
  return chunk;
}

void CoreBlock::finish(std::uint32_t pe, VectorState& v) {
  CoreState& core = cores_[pe];
  const Instruction& i = v.decoded->ins;
  v.decoded = nullptr;
  if (i.microthread < 0) return;
  core.microthreads &= static_cast<std::uint8_t>(~(1 << i.microthread));
  if (i.then_activate >= 0) core.activated |= 1ull << i.then_activate;
  if (i.then_unblock >= 0) core.blocked &= ~(1ull << i.then_unblock);
}

std::int64_t CoreBlock::conflicts(const VectorState& v, std::uint32_t row) const {
  const Operand& a = v.decoded->ins.a;
  const Operand& b = v.decoded->ins.b;
  if (a.kind != Kind::memory || b.kind != Kind::memory || a.element_stride == 0 || b.element_stride == 0) return 0;
  const std::int64_t per_cycle = v.decoded->cost.elements;
  return bank_conflict_cycles(v.a + row_offset(a, row, 0), per_cycle * a.element_stride * sim::bytes_of(a.type),
                              v.b + row_offset(b, row, 0), per_cycle * b.element_stride * sim::bytes_of(b.type), v.row_cycles);
}

// Operands in memory only: row by row while microthreads may want the datapath in between, else all at once.
CoreBlock::Chunk CoreBlock::run_rows(std::uint32_t pe, VectorState& v) {
  Chunk chunk;
  const InstructionCost& cost = v.decoded->cost;
  const std::uint32_t end = cores_[pe].microthreads == 0 ? v.rows : v.row + 1;
  for (; v.row < end; ++v.row) {
    execute(pe, v, v.row, 0.0f);
    chunk.busy += v.row_cycles + (v.row == 0 || cost.every_row_issues ? spec_.issue_cycles : 0);
    chunk.bank_conflict += conflicts(v, v.row);
  }
  return chunk;
}

// A row for each scalar that arrives. The second fp16 scalar of a wavelet follows at once: while no microthread wants the datapath, both
// rows are one chunk.
CoreBlock::Chunk CoreBlock::run_triggered_row(std::uint32_t pe, VectorState& v, Cycle now) {
  Chunk chunk;
  const Operand& source = *v.decoded->arriving();
  do {
    float scalar;
    if (v.holds_half) {
      scalar = sim::numerics::from_16_bits(source.type, v.half);
      v.holds_half = false;
    } else {
      fabric::FabricBlock::Arrived arrived;
      if (!fabric_.peek(pe, source.queue, now, &arrived) || arrived.control) {
        chunk.waits_for = Activity::wavelet_wait;
        return chunk;
      }
      fabric_.pop(pe, source.queue);
      scalar = unpack(arrived.payload, source.type, 0);
      if (sim::bytes_of(source.type) == 2) {
        v.holds_half = true;
        v.half = static_cast<std::uint16_t>(arrived.payload >> 16);
      }
    }
    if (v.decoded->map_step) {
      execute_map_step(pe, v, scalar);
    } else {
      execute(pe, v, v.row, scalar);
      chunk.bank_conflict += conflicts(v, v.row);
    }
    chunk.busy += v.row_cycles + static_cast<std::uint32_t>(spec_.weight_issue_cycles);
    ++v.row;
  } while (v.holds_half && v.row < v.rows && cores_[pe].microthreads == 0);
  return chunk;
}

// The step of a map that linear layers are made of: contiguous fp32 accumulators, a contiguous row, an arriving factor.
void CoreBlock::execute_map_step(std::uint32_t pe, const VectorState& v, float factor) {
  cores_[pe].macs += v.n;
  if (!arithmetic_) return;
  const Instruction& i = v.decoded->ins;
  auto* sums = reinterpret_cast<float*>(sram_.at(pe, v.dst + row_offset(i.dst, v.row, 0)));
  const std::uint8_t* x = sram_.at(pe, v.a + row_offset(i.a, v.row, 0));
  if (i.from_zero && (v.row == 0 || i.dst.row_stride != 0)) std::fill_n(sums, v.n, 0.0f);
  sim::numerics::fma_scalar(i.a.type, sums, x, factor, v.n);
}

void CoreBlock::execute(std::uint32_t pe, const VectorState& v, std::uint32_t row, float scalar) {
  const Instruction& i = v.decoded->ins;
  if (i.op == Opcode::fma && i.a.kind != Kind::immediate && i.b.kind != Kind::immediate) cores_[pe].macs += v.n;
  if (!computes(i.op)) return;
  const auto operand = [&](const Operand& o, std::int32_t base) -> RowOperand {
    switch (o.kind) {
      case Kind::memory: {
        std::uint8_t* address = sram_.at(pe, base + row_offset(o, row, 0));
        if (&o != &i.dst && o.element_stride == 0) return {nullptr, o.type, 0, load_element(address, o.type)};
        return {address, o.type, o.element_stride, 0.0f};
      }
      case Kind::immediate: return {nullptr, o.type, 0, o.immediate};
      case Kind::input: return {nullptr, o.type, 0, scalar};
      case Kind::none:
      case Kind::output: break;
    }
    return {};
  };
  const bool from_zero = i.from_zero && (row == 0 || i.dst.row_stride != 0);
  execute_row(i.op, operand(i.dst, v.dst), operand(i.a, v.a), operand(i.b, v.b), v.n, from_zero, v.key);
}

// One wavelet of an instruction that streams: at most one in, at most one out.
CoreBlock::Chunk CoreBlock::run_wavelet(std::uint32_t pe, VectorState& v, Cycle now) {
  Chunk chunk;
  chunk.work = Activity::reduce;
  const Instruction& i = v.decoded->ins;
  const InstructionCost& cost = v.decoded->cost;
  if (!v.issued && (v.row == 0 || cost.every_row_issues)) {
    v.issued = true;
    chunk.busy = spec_.issue_cycles;
    if (chunk.busy > 0) return chunk;
  }
  const Operand* in = v.decoded->arriving();
  fabric::FabricBlock::Arrived arrived{};
  if (in != nullptr && (!fabric_.peek(pe, in->queue, now, &arrived) || arrived.control)) {
    chunk.waits_for = Activity::wavelet_wait;
    return chunk;
  }
  const fabric::Color color = i.dst.kind == Kind::output ? cores_[pe].output_color[i.dst.queue] : fabric::Color{0};
  if (i.dst.kind == Kind::output && !fabric_.can_send(pe, color, spec_.output_queue_words[i.dst.queue])) {
    fabric_.wake_on_room(pe, color);
    chunk.waits_for = Activity::output_wait;
    return chunk;
  }
  if (in != nullptr) fabric_.pop(pe, in->queue);
  const std::uint32_t count = std::min<std::uint32_t>(cost.per_wavelet, v.n - v.element);
  fabric::Wavelet out;
  out.control = i.control;
  if (v.decoded->moves_words && count == cost.per_wavelet) {
    std::uint32_t word = arrived.payload;
    if (i.a.kind == Kind::memory) __builtin_memcpy(&word, sram_.at(pe, v.a + row_offset(i.a, v.row, v.element)), 4);
    if (i.dst.kind == Kind::memory) __builtin_memcpy(sram_.at(pe, v.dst + row_offset(i.dst, v.row, v.element)), &word, 4);
    out.payload = word;
  } else if (computes(i.op)) {
    for (std::uint32_t k = 0; k < count; ++k) {
      const auto read = [&](const Operand& o, std::int32_t base) {
        if (o.kind == Kind::input) return unpack(arrived.payload, o.type, k);
        if (o.kind == Kind::immediate) return o.immediate;
        return o.kind == Kind::memory ? load_element(sram_.at(pe, base + row_offset(o, v.row, v.element + k)), o.type) : 0.0f;
      };
      const float result = execute_element(i.op, read(i.a, v.a), read(i.b, v.b));
      if (i.dst.kind == Kind::output)
        pack(out.payload, i.dst.type, k, result);
      else
        store_element(sram_.at(pe, v.dst + row_offset(i.dst, v.row, v.element + k)), i.dst.type, result);
    }
  }
  chunk.busy = count == cost.per_wavelet ? cost.wavelet_cycles : cost.cycles_of_wavelet(count);
  v.element += count;
  if (v.element == v.n) {
    v.element = 0;
    v.issued = false;
    ++v.row;
  }
  if (i.dst.kind == Kind::output) {
    out.advance = i.advance && v.row == v.rows;
    fabric_.send(pe, color, out, now);
  }
  return chunk;
}

}  // namespace wafersim::models
