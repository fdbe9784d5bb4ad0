// Activations that stay on the PE: GELU in its exact form, ReLU, and their gradients.
#include "workloads/kernels/kernels.h"
#include "workloads/kernels/work_vectors.h"

namespace wafersim::workloads {

using namespace models;
using sim::Dtype;

namespace {

constexpr float root_half = 0.7071067811865476f, density = 0.3989422804014327f;  // 1 / sqrt(2 pi)

constexpr int gelu_erf_vectors = 2, gelu_erf_gradient_vectors = 3, relu_gradient_vectors = 2;

// half of 1 + erf(x / sqrt(2))
void normal_distribution(Assembler& a, const Operand& out, const Operand& x, Value slots) {
  a.mul(out, x, constant(root_half, Dtype::f32), slots);
  a.unary(Opcode::erf, out, out, slots);
  a.add(out, out, constant(1.0f, Dtype::f32), slots);
  a.mul(out, out, constant(0.5f, Dtype::f32), slots);
}

}  // namespace

std::int64_t gelu_erf_work_bytes(const KernelBuilder& k) { return work_vectors(k, gelu_erf_vectors).bytes; }
std::int64_t gelu_erf_gradient_work_bytes(const KernelBuilder& k) { return work_vectors(k, gelu_erf_gradient_vectors).bytes; }
std::int64_t relu_gradient_work_bytes(const KernelBuilder& k) { return work_vectors(k, relu_gradient_vectors).bytes; }

int emit_gelu_erf(KernelBuilder& k) {
  Assembler& a = k.a;
  const int task = k.begin("gelu_erf", {"x", "y", "work", "features"}, {});
  const Value slots = imm(k.slots());
  const int x = k.fresh(), y = k.fresh(), work = k.arg("work");
  const WorkVectors area = work_vectors(k, gelu_erf_vectors);
  const Operand x32 = k.vector(reg(work, area.offsets[0])), phi = k.vector(reg(work, area.offsets[1]));
  a.set(x, reg(k.arg("x")));
  a.set(y, reg(k.arg("y")));
  a.loop(reg(k.arg("features")), [&] {
    a.mov(x32, k.row(reg(x)), slots);
    normal_distribution(a, phi, x32, slots);
    a.mul(phi, x32, phi, slots);
    a.mov(k.row(reg(y)), phi, slots);
    a.add_integer(x, imm(k.tile_row_bytes()));
    a.add_integer(y, imm(k.tile_row_bytes()));
  });
  k.end();
  return task;
}

int emit_gelu_erf_gradient(KernelBuilder& k) {
  Assembler& a = k.a;
  const int task = k.begin("gelu_erf_gradient", {"x", "dy", "dx", "work", "features"}, {});
  const Value slots = imm(k.slots());
  const int x = k.fresh(), dy = k.fresh(), dx = k.fresh(), work = k.arg("work");
  const WorkVectors area = work_vectors(k, gelu_erf_gradient_vectors);
  const auto at = [&](std::size_t n) { return k.vector(reg(work, area.offsets[n])); };
  const Operand x32 = at(0), slope = at(1), bell = at(2);
  a.set(x, reg(k.arg("x")));
  a.set(dy, reg(k.arg("dy")));
  a.set(dx, reg(k.arg("dx")));
  a.loop(reg(k.arg("features")), [&] {
    a.mov(x32, k.row(reg(x)), slots);
    a.mul(bell, x32, x32, slots);
    a.mul(bell, bell, constant(-0.5f, Dtype::f32), slots);
    a.unary(Opcode::exp, bell, bell, slots);
    a.mul(bell, bell, constant(density, Dtype::f32), slots);
    normal_distribution(a, slope, x32, slots);
    a.fma(slope, bell, x32, slots);
    a.mul(slope, k.row(reg(dy)), slope, slots);
    a.mov(k.row(reg(dx)), slope, slots);
    for (const int r : {x, dy, dx}) a.add_integer(r, imm(k.tile_row_bytes()));
  });
  k.end();
  return task;
}

int emit_relu(KernelBuilder& k) {
  const int task = k.begin("relu", {"x", "y", "features"}, {});
  k.a.max(k.tile(reg(k.arg("y"))), k.tile(reg(k.arg("x"))), constant(0.0f), imm(k.slots()), reg(k.arg("features")));
  k.end();
  return task;
}

int emit_relu_gradient(KernelBuilder& k) {
  Assembler& a = k.a;
  const int task = k.begin("relu_gradient", {"x", "dy", "dx", "work", "features"}, {});
  const Value slots = imm(k.slots());
  const int x = k.fresh(), dy = k.fresh(), dx = k.fresh(), work = k.arg("work");
  const WorkVectors area = work_vectors(k, relu_gradient_vectors);
  const Operand kept = k.vector(reg(work, area.offsets[0])), gradient = k.vector(reg(work, area.offsets[1]));
  const Operand bits = memory(Dtype::u32, reg(work, area.offsets[0]));
  a.set(x, reg(k.arg("x")));
  a.set(dy, reg(k.arg("dy")));
  a.set(dx, reg(k.arg("dx")));
  a.loop(reg(k.arg("features")), [&] {
    a.mov(kept, k.row(reg(x)), slots);
    a.max(kept, kept, constant(0.0f, Dtype::f32), slots);
    a.mov(gradient, k.row(reg(dy)), slots);
    a.select_equal(gradient, bits, constant(0.0f), imm(0), slots);  // what ReLU made +0
    a.mov(k.row(reg(dx)), gradient, slots);
    for (const int r : {x, dy, dx}) a.add_integer(r, imm(k.tile_row_bytes()));
  });
  k.end();
  return task;
}

}  // namespace wafersim::workloads
