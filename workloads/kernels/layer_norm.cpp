// Layer norm and its gradient. Rows of a tile are features; sums over them run along the lane.
#include "workloads/kernels/kernels.h"

namespace wafersim::workloads {

using namespace models;
using sim::Dtype;

namespace {

// The gain or bias of the row at hand, one value a wavelet.
Operand streamed(const KernelBuilder& k) { return k.weight(); }

void zero_tile(KernelBuilder& k, int base, int rows) { k.a.mov(k.tile(reg(base)), constant(0.0f), imm(k.slots()), reg(rows)); }

}  // namespace

int emit_layer_norm(KernelBuilder& k, int width, float epsilon) {
  Assembler& a = k.a;
  const auto lane = KernelBuilder::Group::lane;
  const int task = k.begin("layer_norm", {"x", "y", "mean", "rstd", "total", "work", "features"},
                           {KernelBuilder::relay_words(), KernelBuilder::all_reduce_words(lane), {word_residual_features}});
  const Value slots = imm(k.slots());
  const float inverse = 1.0f / static_cast<float>(width);
  const int valid = k.word(word_residual_features);
  const int x = k.fresh(), y = k.fresh(), streamed_words = k.fresh();
  const Operand mean = k.vector(reg(k.arg("mean"))), rstd = k.vector(reg(k.arg("rstd"))), total = k.vector(reg(k.arg("total"))),
                work = k.vector(reg(k.arg("work")));
  a.set(streamed_words, reg(valid));  // gain and bias of every true feature
  a.add_integer(streamed_words, reg(valid));
  k.relay_weights(reg(streamed_words));

  a.mov(total, constant(0.0f), slots);
  a.fma(total, k.tile(reg(k.arg("x"))), constant(1.0f), slots, reg(valid));
  k.all_reduce(lane, Opcode::add, reg(k.arg("total")), slots);
  a.mul(mean, total, constant(inverse), slots);
  a.mov(total, constant(0.0f), slots);
  a.set(x, reg(k.arg("x")));
  a.loop(reg(valid), [&] {
    a.sub(work, k.row(reg(x)), mean, slots);
    a.fma(total, work, work, slots);
    a.add_integer(x, imm(k.tile_row_bytes()));
  });
  k.all_reduce(lane, Opcode::add, reg(k.arg("total")), slots);
  a.mul(total, total, constant(inverse), slots);
  a.add(total, total, constant(epsilon), slots);
  a.unary(Opcode::rsqrt, rstd, total, slots);

  zero_tile(k, k.arg("y"), k.arg("features"));
  a.set(x, reg(k.arg("x")));
  a.set(y, reg(k.arg("y")));
  a.loop(reg(valid), [&] {
    a.sub(work, k.row(reg(x)), mean, slots);
    a.mul(work, work, rstd, slots);
    a.mul(work, work, streamed(k), slots);
    a.add(work, work, streamed(k), slots);
    a.mov(k.row(reg(y)), work, slots);
    a.add_integer(x, imm(k.tile_row_bytes()));
    a.add_integer(y, imm(k.tile_row_bytes()));
  });
  k.end();
  return task;
}

int emit_layer_norm_gradient(KernelBuilder& k, int width) {
  Assembler& a = k.a;
  const auto lane = KernelBuilder::Group::lane;
  const int task = k.begin(
      "layer_norm_gradient", {"x", "mean", "rstd", "dy", "dx", "products", "totals", "normal", "work", "sums", "features"},
      {KernelBuilder::relay_words(), KernelBuilder::all_reduce_words(lane), KernelBuilder::column_sum_words(), {word_residual_features}});
  const Value slots = imm(k.slots());
  const float inverse = 1.0f / static_cast<float>(width);
  const int valid = k.word(word_residual_features);
  const int x = k.fresh(), dy = k.fresh(), product = k.fresh(), sum = k.fresh(), count = k.fresh();
  const Operand mean = k.vector(reg(k.arg("mean"))), rstd = k.vector(reg(k.arg("rstd"))), normal = k.vector(reg(k.arg("normal"))),
                work = k.vector(reg(k.arg("work")));
  const int totals = k.arg("totals");  // sums of dxh, then of dxh * normal, without a gap
  const Operand first_total = k.vector(reg(totals)), second_total = k.vector(reg(totals, 4 * k.slots()));
  k.relay_weights(reg(valid));

  const auto normalise = [&] {  // normal = (x - mean) * rstd
    a.sub(normal, k.row(reg(x)), mean, slots);
    a.mul(normal, normal, rstd, slots);
  };
  const auto advance = [&] {
    a.add_integer(x, imm(k.tile_row_bytes()));
    a.add_integer(product, imm(k.vector_bytes()));
  };
  a.mov(first_total, constant(0.0f), imm(2 * k.slots()));
  a.set(x, reg(k.arg("x")));
  a.set(dy, reg(k.arg("dy")));
  a.set(product, reg(k.arg("products")));
  a.set(sum, reg(k.arg("sums")));
  a.loop(reg(valid), [&] {
    normalise();
    a.fma(memory(Dtype::f32, reg(sum), 0, 1), k.row(reg(dy)), normal, slots).from_zero = true;
    a.fma(memory(Dtype::f32, reg(sum, 4), 0, 1), k.row(reg(dy)), constant(1.0f), slots).from_zero = true;
    a.mul(k.vector(reg(product)), k.row(reg(dy)), streamed(k), slots);
    a.fma(first_total, k.vector(reg(product)), constant(1.0f), slots);
    a.fma(second_total, k.vector(reg(product)), normal, slots);
    a.add_integer(dy, imm(k.tile_row_bytes()));
    a.add_integer(sum, imm(8));
    advance();
  });
  k.all_reduce(lane, Opcode::add, reg(totals), imm(2 * k.slots()));
  a.mul(first_total, first_total, constant(inverse), imm(2 * k.slots()));
  a.unary(Opcode::neg, second_total, second_total, slots);

  zero_tile(k, k.arg("dx"), k.arg("features"));
  a.set(x, reg(k.arg("x")));
  a.set(product, reg(k.arg("products")));
  a.set(dy, reg(k.arg("dx")));
  a.loop(reg(valid), [&] {
    normalise();
    a.sub(work, k.vector(reg(product)), first_total, slots);
    a.fma(work, normal, second_total, slots);
    a.mul(work, work, rstd, slots);
    a.mov(k.row(reg(dy)), work, slots);
    a.add_integer(dy, imm(k.tile_row_bytes()));
    advance();
  });

  k.bind_column_sum();
  a.set(count, reg(valid));
  a.add_integer(count, reg(valid));
  k.column_sum(reg(k.arg("sums")), reg(count));
  k.end();
  return task;
}

}  // namespace wafersim::workloads
