// Kernels that stay on the PE: GELU and its gradient, sums of tiles, rounding.
#include "workloads/kernels/kernels.h"
#include "workloads/kernels/work_vectors.h"

namespace wafersim::workloads {

using namespace models;
using sim::Dtype;

namespace {

constexpr float cubic = 0.044715f, root_two_over_pi = 0.7978845608028654f;

constexpr int gelu_vectors = 4, gelu_gradient_vectors = 5;

}  // namespace

std::int64_t gelu_work_bytes(const KernelBuilder& k) { return work_vectors(k, gelu_vectors).bytes; }
std::int64_t gelu_gradient_work_bytes(const KernelBuilder& k) { return work_vectors(k, gelu_gradient_vectors).bytes; }

int emit_gelu(KernelBuilder& k) {
  Assembler& a = k.a;
  const int task = k.begin("gelu", {"x", "y", "work", "features"}, {});
  const Value slots = imm(k.slots());
  const int x = k.fresh(), y = k.fresh(), work = k.arg("work");
  const WorkVectors area = work_vectors(k, gelu_vectors);
  const auto at = [&](std::size_t n) { return k.vector(reg(work, area.offsets[n])); };
  const Operand x32 = at(0), cube = at(1), th = at(2), half = at(3);
  a.set(x, reg(k.arg("x")));
  a.set(y, reg(k.arg("y")));
  a.loop(reg(k.arg("features")), [&] {
    a.mov(x32, k.row(reg(x)), slots);
    a.mul(cube, x32, x32, slots);
    a.mul(cube, cube, x32, slots);
    a.mov(th, x32, slots);
    a.fma(th, cube, constant(cubic, Dtype::f32), slots);
    a.mul(th, th, constant(root_two_over_pi, Dtype::f32), slots);
    a.unary(Opcode::tanh, th, th, slots);
    a.mul(half, x32, constant(0.5f, Dtype::f32), slots);
    a.mov(cube, half, slots);
    a.fma(cube, half, th, slots);
    a.mov(k.row(reg(y)), cube, slots);
    a.add_integer(x, imm(k.tile_row_bytes()));
    a.add_integer(y, imm(k.tile_row_bytes()));
  });
  k.end();
  return task;
}

int emit_gelu_gradient(KernelBuilder& k) {
  Assembler& a = k.a;
  const int task = k.begin("gelu_gradient", {"x", "dy", "dx", "work", "features"}, {});
  const Value slots = imm(k.slots());
  const int x = k.fresh(), dy = k.fresh(), dx = k.fresh(), work = k.arg("work");
  const WorkVectors area = work_vectors(k, gelu_gradient_vectors);
  const auto at = [&](std::size_t n) { return k.vector(reg(work, area.offsets[n])); };
  const Operand x32 = at(0), square = at(1), th = at(2), w = at(3), slope = at(4);
  const auto number = [](float value) { return constant(value, Dtype::f32); };
  a.set(x, reg(k.arg("x")));
  a.set(dy, reg(k.arg("dy")));
  a.set(dx, reg(k.arg("dx")));
  a.loop(reg(k.arg("features")), [&] {
    a.mov(x32, k.row(reg(x)), slots);
    a.mul(square, x32, x32, slots);
    a.mul(w, square, x32, slots);
    a.mov(th, x32, slots);
    a.fma(th, w, number(cubic), slots);
    a.mul(th, th, number(root_two_over_pi), slots);
    a.unary(Opcode::tanh, th, th, slots);
    a.mov(w, number(1.0f), slots);
    a.fma(w, square, number(0.134145f), slots);
    a.mul(w, w, number(root_two_over_pi), slots);
    a.unary(Opcode::neg, square, th, slots);
    a.mov(slope, number(1.0f), slots);
    a.fma(slope, square, th, slots);  // 1 - th^2
    a.mul(x32, x32, number(0.5f), slots);
    a.mul(slope, x32, slope, slots);
    a.mul(slope, slope, w, slots);
    a.mov(w, number(0.5f), slots);
    a.fma(w, th, number(0.5f), slots);
    a.add(slope, w, slope, slots);
    a.mul(slope, k.row(reg(dy)), slope, slots);
    a.mov(k.row(reg(dx)), slope, slots);
    a.add_integer(x, imm(k.tile_row_bytes()));
    a.add_integer(dy, imm(k.tile_row_bytes()));
    a.add_integer(dx, imm(k.tile_row_bytes()));
  });
  k.end();
  return task;
}

int emit_add(KernelBuilder& k) {
  const int task = k.begin("add", {"a", "b", "y", "features"}, {});
  k.a.add(k.tile(reg(k.arg("y"))), k.tile(reg(k.arg("a"))), k.tile(reg(k.arg("b"))), imm(k.slots()), reg(k.arg("features")));
  k.end();
  return task;
}

int emit_accumulate(KernelBuilder& k) {
  const int task = k.begin("accumulate", {"y", "dx", "features"}, {});
  const Operand y = k.tile32(reg(k.arg("y")));
  k.a.add(y, k.tile32(reg(k.arg("dx"))), y, imm(k.slots()), reg(k.arg("features")));
  k.end();
  return task;
}

int emit_round(KernelBuilder& k) {
  const int task = k.begin("round", {"x", "y", "features"}, {});
  k.a.mov(k.tile(reg(k.arg("y"))), k.tile32(reg(k.arg("x"))), imm(k.slots()), reg(k.arg("features")));
  k.end();
  return task;
}

}  // namespace wafersim::workloads
