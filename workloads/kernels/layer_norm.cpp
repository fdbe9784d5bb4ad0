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

namespace {

// Registers and vectors that the passes of the gradient share.
struct Gradient {
  int valid, x, dy, product, sum;
  int totals;  // sums of dxh, then of dxh * normal, without a gap
  Operand mean, rstd, normal, work, first_total, second_total;
};

void normalise(KernelBuilder& k, const Gradient& g) {  // normal = (x - mean) * rstd
  k.a.sub(g.normal, k.row(reg(g.x)), g.mean, imm(k.slots()));
  k.a.mul(g.normal, g.normal, g.rstd, imm(k.slots()));
}

void advance(KernelBuilder& k, const Gradient& g) {
  k.a.add_integer(g.x, imm(k.tile_row_bytes()));
  k.a.add_integer(g.product, imm(k.vector_bytes()));
}

// First pass: sums over the slots for gain and bias; products dxh, and what this PE's features add to their totals.
void sum_up(KernelBuilder& k, const Gradient& g) {
  Assembler& a = k.a;
  const Value slots = imm(k.slots());
  a.mov(g.first_total, constant(0.0f), imm(2 * k.slots()));
  a.set(g.x, reg(k.arg("x")));
  a.set(g.dy, reg(k.arg("dy")));
  a.set(g.product, reg(k.arg("products")));
  a.set(g.sum, reg(k.arg("sums")));
  a.loop(reg(g.valid), [&] {
    normalise(k, g);
    a.fma(memory(Dtype::f32, reg(g.sum), 0, 1), k.row(reg(g.dy)), g.normal, slots).from_zero = true;
    a.fma(memory(Dtype::f32, reg(g.sum, 4), 0, 1), k.row(reg(g.dy)), constant(1.0f), slots).from_zero = true;
    a.mul(k.vector(reg(g.product)), k.row(reg(g.dy)), streamed(k), slots);
    a.fma(g.first_total, k.vector(reg(g.product)), constant(1.0f), slots);
    a.fma(g.second_total, k.vector(reg(g.product)), g.normal, slots);
    a.add_integer(g.dy, imm(k.tile_row_bytes()));
    a.add_integer(g.sum, imm(8));
    advance(k, g);
  });
}

// Second pass: dx, whose row the register dy stands for.
void store_input_gradient(KernelBuilder& k, const Gradient& g) {
  Assembler& a = k.a;
  const Value slots = imm(k.slots());
  zero_tile(k, k.arg("dx"), k.arg("features"));
  a.set(g.x, reg(k.arg("x")));
  a.set(g.product, reg(k.arg("products")));
  a.set(g.dy, reg(k.arg("dx")));
  a.loop(reg(g.valid), [&] {
    normalise(k, g);
    a.sub(g.work, k.vector(reg(g.product)), g.first_total, slots);
    a.fma(g.work, g.normal, g.second_total, slots);
    a.mul(g.work, g.work, g.rstd, slots);
    a.mov(k.row(reg(g.dy)), g.work, slots);
    a.add_integer(g.dy, imm(k.tile_row_bytes()));
    advance(k, g);
  });
}

}  // namespace

int emit_layer_norm_gradient(KernelBuilder& k, int width) {
  Assembler& a = k.a;
  const auto lane = KernelBuilder::Group::lane;
  const int task = k.begin(
      "layer_norm_gradient", {"x", "mean", "rstd", "dy", "dx", "products", "totals", "normal", "work", "sums", "features"},
      {KernelBuilder::relay_words(), KernelBuilder::all_reduce_words(lane), KernelBuilder::column_sum_words(), {word_residual_features}});
  Gradient g;
  g.valid = k.word(word_residual_features);
  for (int* each : {&g.x, &g.dy, &g.product, &g.sum}) *each = k.fresh();
  const int count = k.fresh();
  g.totals = k.arg("totals");
  g.mean = k.vector(reg(k.arg("mean")));
  g.rstd = k.vector(reg(k.arg("rstd")));
  g.normal = k.vector(reg(k.arg("normal")));
  g.work = k.vector(reg(k.arg("work")));
  g.first_total = k.vector(reg(g.totals));
  g.second_total = k.vector(reg(g.totals, 4 * k.slots()));
  k.relay_weights(reg(g.valid));

  sum_up(k, g);
  k.all_reduce(lane, Opcode::add, reg(g.totals), imm(2 * k.slots()));
  a.mul(g.first_total, g.first_total, constant(1.0f / static_cast<float>(width)), imm(2 * k.slots()));
  a.unary(Opcode::neg, g.second_total, g.second_total, imm(k.slots()));
  store_input_gradient(k, g);

  k.bind_column_sum();
  a.set(count, reg(g.valid));
  a.add_integer(count, reg(g.valid));
  k.column_sum(reg(k.arg("sums")), reg(count));
  k.end();
  return task;
}

}  // namespace wafersim::workloads
