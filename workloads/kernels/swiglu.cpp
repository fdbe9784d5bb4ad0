// SiLU of the gate times the up projection, and the gradient of both. In a tile the gate's rows come first, then those of up.
#include "workloads/kernels/kernels.h"
#include "workloads/kernels/work_vectors.h"

namespace wafersim::workloads {

using namespace models;
using sim::Dtype;

namespace {

constexpr int forward_vectors = 2, gradient_vectors = 5;

void sigmoid(Assembler& a, const Operand& out, const Operand& x, Value slots) {
  a.unary(Opcode::neg, out, x, slots);
  a.unary(Opcode::exp, out, out, slots);
  a.add(out, out, constant(1.0f, Dtype::f32), slots);
  a.unary(Opcode::recip, out, out, slots);
}

// up = gate + features rows
void set_up(KernelBuilder& k, int up, int gate) {
  k.a.set(up, reg(k.arg("features")));
  k.a.mul_integer(up, imm(k.tile_row_bytes()));
  k.a.add_integer(up, reg(gate));
}

}  // namespace

std::int64_t swiglu_work_bytes(const KernelBuilder& k) { return work_vectors(k, forward_vectors).bytes; }
std::int64_t swiglu_gradient_work_bytes(const KernelBuilder& k) { return work_vectors(k, gradient_vectors).bytes; }

int emit_swiglu(KernelBuilder& k) {
  Assembler& a = k.a;
  const int task = k.begin("swiglu", {"x", "y", "work", "features"}, {});
  const Value slots = imm(k.slots());
  const int gate = k.fresh(), up = k.fresh(), y = k.fresh(), work = k.arg("work");
  const WorkVectors area = work_vectors(k, forward_vectors);
  const Operand gate32 = k.vector(reg(work, area.offsets[0])), s = k.vector(reg(work, area.offsets[1]));
  a.set(gate, reg(k.arg("x")));
  set_up(k, up, gate);
  a.set(y, reg(k.arg("y")));
  a.loop(reg(k.arg("features")), [&] {
    a.mov(gate32, k.row(reg(gate)), slots);
    sigmoid(a, s, gate32, slots);
    a.mul(s, gate32, s, slots);
    a.mul(s, s, k.row(reg(up)), slots);
    a.mov(k.row(reg(y)), s, slots);
    for (const int r : {gate, up, y}) a.add_integer(r, imm(k.tile_row_bytes()));
  });
  k.end();
  return task;
}

int emit_swiglu_gradient(KernelBuilder& k) {
  Assembler& a = k.a;
  const int task = k.begin("swiglu_gradient", {"x", "dy", "dx", "work", "features"}, {});
  const Value slots = imm(k.slots());
  const int gate = k.fresh(), up = k.fresh(), dy = k.fresh(), d_gate = k.fresh(), d_up = k.fresh(), work = k.arg("work");
  const WorkVectors area = work_vectors(k, gradient_vectors);
  const auto at = [&](std::size_t n) { return k.vector(reg(work, area.offsets[n])); };
  const Operand gate32 = at(0), slope = at(1), silu = at(2), rest = at(3), product = at(4);
  a.set(gate, reg(k.arg("x")));
  set_up(k, up, gate);
  a.set(dy, reg(k.arg("dy")));
  a.set(d_gate, reg(k.arg("dx")));
  set_up(k, d_up, d_gate);
  a.loop(reg(k.arg("features")), [&] {
    a.mov(gate32, k.row(reg(gate)), slots);
    sigmoid(a, slope, gate32, slots);
    a.mul(silu, gate32, slope, slots);
    a.sub(rest, constant(1.0f, Dtype::f32), slope, slots);
    a.fma(slope, silu, rest, slots);
    a.mov(product, k.row(reg(dy)), slots);
    a.mul(silu, product, silu, slots);
    a.mov(k.row(reg(d_up)), silu, slots);
    a.mul(product, product, k.row(reg(up)), slots);
    a.mul(product, product, slope, slots);
    a.mov(k.row(reg(d_gate)), product, slots);
    for (const int r : {gate, up, dy, d_gate, d_up}) a.add_integer(r, imm(k.tile_row_bytes()));
  });
  k.end();
  return task;
}

}  // namespace wafersim::workloads
