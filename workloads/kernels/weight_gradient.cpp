// Gradients of a linear layer's matrix and bias: of x and dy the tile of fewer rows travels. Row by row, the owner sends it around the row
// ring, every PE multiplies it with the rows it holds of the other, and the products' sums run down the columns and out.
#include "workloads/kernels/kernels.h"

namespace wafersim::workloads {

using namespace models;
using sim::Dtype;

int emit_weight_gradient(KernelBuilder& k) {
  Assembler& a = k.a;
  const auto lane = KernelBuilder::Group::lane;
  const int task = k.begin("weight_gradient", {"held", "held_rows", "sent", "sent_rows", "received", "sums", "held_bias", "sent_bias"},
                           {KernelBuilder::relay_ring_words(lane), KernelBuilder::column_sum_words()});
  const Value slots = imm(k.slots());
  const int held = k.arg("held"), held_rows = k.arg("held_rows"), sums = k.arg("sums");
  const int owner = k.fresh(), sent = k.fresh(), bias_sum = k.fresh(), with_bias = k.fresh();
  const Operand received = k.row(reg(k.arg("received"))), in = input(k.type(), in_row), out = output(k.type(), out_row);
  a.set(bias_sum, reg(held_rows));
  a.mul_integer(bias_sum, imm(4));
  a.add_integer(bias_sum, reg(sums));
  a.set(with_bias, reg(held_rows));
  a.add_integer(with_bias, reg(k.arg("sent_bias")));
  a.set(sent, reg(k.arg("sent")));
  a.set(owner, imm(0));
  k.bind_ring(lane);
  k.bind_column_sum();

  // One sum a row.
  const auto add_up = [&](int to, const Operand& tile, const Operand& factor, int rows) -> Instruction& {
    Instruction& i = a.fma(memory(Dtype::f32, reg(to), 0, 1), tile, factor, slots, reg(rows));
    i.from_zero = true;
    return i;
  };
  const auto multiply = [&](const Operand& vector) { add_up(sums, k.tile(reg(held)), vector, held_rows).new_output = true; };
  const auto another = [&](bool forwards) {
    a.loop(reg(k.arg("sent_rows")), [&] {
      a.mov(received, in, slots);
      if (forwards) a.mov(out, received, slots);
      multiply(received);
      k.column_sum(reg(sums), reg(held_rows));
    });
  };
  add_up(sums, k.tile(reg(held)), constant(1.0f), k.arg("held_bias"));
  k.column_sum(reg(sums), reg(k.arg("held_bias")));
  a.loop(imm(k.layout().columns), [&] {
    k.with_relay(
        lane, owner,
        [&] {
          a.loop(reg(k.arg("sent_rows")), [&] {
            if (!k.alone(lane)) a.mov(out, k.row(reg(sent)), slots);
            multiply(k.row(reg(sent)));
            add_up(bias_sum, k.row(reg(sent)), constant(1.0f), k.arg("sent_bias"));
            k.column_sum(reg(sums), reg(with_bias));
            a.add_integer(sent, imm(k.tile_row_bytes()));
          });
        },
        another);
    a.add_integer(owner, imm(1));
  });
  k.end();
  return task;
}

}  // namespace wafersim::workloads
