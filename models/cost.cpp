#include "models/cost.h"

#include <algorithm>
#include <cmath>

namespace wafersim::models {
namespace {

using sim::Dtype;
using Kind = Operand::Kind;

bool single(const Operand& o) {
  return (o.kind == Kind::memory || o.kind == Kind::input || o.kind == Kind::output) && sim::bytes_of(o.type) == 4;
}

double table_rate(const Instruction& i, const CoreSpec& spec) {
  const RateTable& r = spec.rate;
  const bool wide = single(i.dst) || single(i.a) || single(i.b);
  switch (i.op) {
    case Opcode::mov: {
      const bool converts = i.a.kind != Kind::immediate && sim::bytes_of(i.a.type) != sim::bytes_of(i.dst.type);
      return converts ? r.convert : wide ? r.single : r.half;
    }
    case Opcode::add:
    case Opcode::sub:
    case Opcode::neg:
    case Opcode::select_equal: return wide ? r.single : r.half;
    case Opcode::mul: return wide ? r.single_mul : r.half;
    case Opcode::max: return wide ? r.single_max : r.half_max;
    case Opcode::fma: return !wide ? r.half : single(i.a) || single(i.b) ? r.single_fma : r.mixed_fma;
    case Opcode::exp: return 1.0 / spec.function.exp;
    case Opcode::log: return 1.0 / spec.function.log;
    case Opcode::tanh: return 1.0 / spec.function.tanh;
    case Opcode::erf: return 1.0 / spec.function.erf;
    case Opcode::sin: return 1.0 / spec.function.sin;
    case Opcode::cos: return 1.0 / spec.function.cos;
    case Opcode::rsqrt: return 1.0 / spec.function.rsqrt;
    case Opcode::recip: return 1.0 / spec.function.recip;
    default: return 1.0;
  }
}

// Strides that the address generators follow at full rate, modulo 8: 1, 2, 3, 5, 6, and 0 itself.
bool regular(const Operand& o) {
  if (o.kind != Kind::memory || o.element_stride == 0) return true;
  const int s = std::abs(o.element_stride) % 8;
  return s == 1 || s == 2 || s == 3 || s == 5 || s == 6;
}

bool fabric_elements(const Operand& o) { return (o.kind == Kind::input && o.element_stride == 1) || o.kind == Kind::output; }

bool own_scalar_a_row(const Operand& o) {
  return (o.kind == Kind::input && o.element_stride == 0) || (o.kind == Kind::memory && o.element_stride == 0 && o.row_stride != 0);
}

}  // namespace

InstructionCost cost_of(const Instruction& i, const CoreSpec& spec) {
  InstructionCost cost;
  double rate = table_rate(i, spec);
  if (!regular(i.dst) || !regular(i.a) || !regular(i.b)) rate = std::min(rate, spec.rate.irregular_stride);
  if (rate >= 1) {
    cost.elements = static_cast<std::int32_t>(rate);
  } else {
    cost.cycles = static_cast<std::int32_t>(std::lround(1.0 / rate));
  }
  if (i.op == Opcode::fma && i.dst.type == Dtype::f32 && i.dst.element_stride != 0) cost.cached_n = spec.accumulator_cache_bytes / 4;
  const bool accumulates_over_rows = i.dst.kind == Kind::memory && i.dst.row_stride == 0 && !(i.rows.reg < 0 && i.rows.immediate == 1);
  const bool accumulator_a_row = i.op == Opcode::fma && i.dst.element_stride == 0;
  const bool streams = fabric_elements(i.dst) || fabric_elements(i.a) || fabric_elements(i.b);
  cost.every_row_issues = own_scalar_a_row(i.a) || own_scalar_a_row(i.b) || (accumulates_over_rows && !streams) || accumulator_a_row;
  cost.triggered = (i.a.kind == Kind::input && i.a.element_stride == 0) || (i.b.kind == Kind::input && i.b.element_stride == 0);
  for (const Operand* o : {&i.dst, &i.a, &i.b})
    if (fabric_elements(*o)) {
      cost.streams = true;
      cost.per_wavelet = sim::bytes_of(o->type) == 2 ? 2 : 1;
    }
  cost.wavelet_cycles = static_cast<std::int32_t>(cost.cycles_of_wavelet(cost.per_wavelet));
  return cost;
}

std::int64_t bank_conflict_cycles(std::int64_t a, std::int64_t a_step, std::int64_t b, std::int64_t b_step, std::int64_t cycles) {
  if (a == b && a_step == b_step) return 0;  // one read serves both
  const auto conflicts = [&](std::int64_t k) { return ((a + k * a_step) / 2) % 4 == ((b + k * b_step) / 2) % 4; };
  if (a_step == b_step) return conflicts(0) ? cycles : 0;
  constexpr std::int64_t period = 8;  // steps are even, so the pattern repeats after at most 4 words
  std::int64_t in_period = 0, in_tail = 0;
  for (std::int64_t k = 0; k < period; ++k) {
    in_period += conflicts(k);
    in_tail += k < cycles % period && conflicts(k);
  }
  return cycles / period * in_period + in_tail;
}

}  // namespace wafersim::models
