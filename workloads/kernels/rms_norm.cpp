// Root-mean-square norm and its gradient. Rows of a tile are features; sums over them run along the lane.
#include "workloads/kernels/kernels.h"

namespace wafersim::workloads {

using namespace models;
using sim::Dtype;

int emit_rms_norm(KernelBuilder& k, int width, float epsilon) {
  Assembler& a = k.a;
  const auto lane = KernelBuilder::Group::lane;
  const int task = k.begin("rms_norm", {"x", "y", "rstd", "total", "work", "features"},
                           {KernelBuilder::relay_words(), KernelBuilder::all_reduce_words(lane), {word_residual_features}});
  const Value slots = imm(k.slots());
  const int valid = k.word(word_residual_features), x = k.fresh(), y = k.fresh();
  const Operand rstd = k.vector(reg(k.arg("rstd"))), total = k.vector(reg(k.arg("total"))), work = k.vector(reg(k.arg("work")));
  k.relay_weights(reg(valid));

  const Operand tile = k.tile(reg(k.arg("x")));
  a.mov(total, constant(0.0f), slots);
  a.fma(total, tile, tile, slots, reg(valid));
  k.all_reduce(lane, Opcode::add, reg(k.arg("total")), slots);
  a.mul(total, total, constant(1.0f / static_cast<float>(width)), slots);
  a.add(total, total, constant(epsilon), slots);
  a.unary(Opcode::rsqrt, rstd, total, slots);

  a.mov(k.tile(reg(k.arg("y"))), constant(0.0f), slots, reg(k.arg("features")));
  a.set(x, reg(k.arg("x")));
  a.set(y, reg(k.arg("y")));
  a.loop(reg(valid), [&] {
    a.mul(work, k.row(reg(x)), rstd, slots);
    a.mul(work, work, k.weight(), slots);
    a.mov(k.row(reg(y)), work, slots);
    a.add_integer(x, imm(k.tile_row_bytes()));
    a.add_integer(y, imm(k.tile_row_bytes()));
  });
  k.end();
  return task;
}

int emit_rms_norm_gradient(KernelBuilder& k, int width) {
  Assembler& a = k.a;
  const auto lane = KernelBuilder::Group::lane;
  const int task = k.begin(
      "rms_norm_gradient", {"x", "rstd", "dy", "dx", "products", "total", "normal", "sums", "features"},
      {KernelBuilder::relay_words(), KernelBuilder::all_reduce_words(lane), KernelBuilder::column_sum_words(), {word_residual_features}});
  const Value slots = imm(k.slots());
  const int valid = k.word(word_residual_features);
  const int x = k.fresh(), dy = k.fresh(), product = k.fresh(), sum = k.fresh();
  const Operand rstd = k.vector(reg(k.arg("rstd"))), total = k.vector(reg(k.arg("total"))), normal = k.vector(reg(k.arg("normal")));
  k.relay_weights(reg(valid));

  a.mov(total, constant(0.0f), slots);
  a.set(x, reg(k.arg("x")));
  a.set(dy, reg(k.arg("dy")));
  a.set(product, reg(k.arg("products")));
  a.set(sum, reg(k.arg("sums")));
  a.loop(reg(valid), [&] {
    a.mul(normal, k.row(reg(x)), rstd, slots);
    a.fma(memory(Dtype::f32, reg(sum), 0, 1), k.row(reg(dy)), normal, slots).from_zero = true;
    a.mul(k.vector(reg(product)), k.row(reg(dy)), k.weight(), slots);
    a.fma(total, k.vector(reg(product)), normal, slots);
    a.add_integer(x, imm(k.tile_row_bytes()));
    a.add_integer(dy, imm(k.tile_row_bytes()));
    a.add_integer(product, imm(k.vector_bytes()));
    a.add_integer(sum, imm(4));
  });
  k.all_reduce(lane, Opcode::add, reg(k.arg("total")), slots);
  a.mul(total, total, constant(1.0f / static_cast<float>(width)), slots);
  a.unary(Opcode::neg, total, total, slots);

  a.mov(k.tile(reg(k.arg("dx"))), constant(0.0f), slots, reg(k.arg("features")));
  a.set(x, reg(k.arg("x")));
  a.set(product, reg(k.arg("products")));
  a.set(dy, reg(k.arg("dx")));
  a.loop(reg(valid), [&] {
    const Operand u = k.vector(reg(product));
    a.mul(normal, k.row(reg(x)), rstd, slots);
    a.fma(u, normal, total, slots);
    a.mul(u, u, rstd, slots);
    a.mov(k.row(reg(dy)), u, slots);
    a.add_integer(x, imm(k.tile_row_bytes()));
    a.add_integer(dy, imm(k.tile_row_bytes()));
    a.add_integer(product, imm(k.vector_bytes()));
  });

  k.bind_column_sum();
  k.column_sum(reg(k.arg("sums")), reg(valid));
  k.end();
  return task;
}

}  // namespace wafersim::workloads
