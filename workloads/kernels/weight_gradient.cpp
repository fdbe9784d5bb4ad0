// Gradients of a linear layer's matrix and bias: output by output, the owner sends dy around the row ring, every PE multiplies it with its
// inputs, and the products' sums run down the columns and out.
#include "workloads/kernels/kernels.h"

namespace wafersim::workloads {

using namespace models;
using sim::Dtype;

int emit_weight_gradient(KernelBuilder& k) {
  Assembler& a = k.a;
  const auto lane = KernelBuilder::Group::lane;
  const int task = k.begin("weight_gradient", {"x", "inputs", "dy", "outputs", "received", "sums", "bias"},
                           {KernelBuilder::relay_ring_words(lane), KernelBuilder::column_sum_words()});
  const Value slots = imm(k.slots());
  const int inputs = k.arg("inputs"), outputs = k.arg("outputs"), sums = k.arg("sums");
  const int owner = k.fresh(), dy = k.fresh(), bias_sum = k.fresh(), with_bias = k.fresh();
  const Operand received = k.row(reg(k.arg("received"))), in = input(k.type(), in_row), out = output(k.type(), out_row);
  a.set(bias_sum, reg(inputs));
  a.mul_integer(bias_sum, imm(4));
  a.add_integer(bias_sum, reg(sums));
  a.set(with_bias, reg(inputs));
  a.add_integer(with_bias, reg(k.arg("bias")));
  a.set(dy, reg(k.arg("dy")));
  a.set(owner, imm(0));
  k.bind_ring(lane);
  k.bind_column_sum();

  // One sum a row: products of the row of x with the vector of dy.
  const auto multiply = [&](const Operand& vector) {
    Instruction& i = a.fma(memory(Dtype::f32, reg(sums), 0, 1), k.tile(reg(k.arg("x"))), vector, slots, reg(inputs));
    i.from_zero = true;
    i.new_output = true;
  };
  const auto another = [&](bool forwards) {
    a.loop(reg(outputs), [&] {
      a.mov(received, in, slots);
      if (forwards) a.mov(out, received, slots);
      multiply(received);
      k.column_sum(reg(sums), reg(inputs));
    });
  };
  a.loop(imm(k.layout().columns), [&] {
    k.with_relay(
        lane, owner,
        [&] {
          a.loop(reg(outputs), [&] {
            if (!k.alone(lane)) a.mov(out, k.row(reg(dy)), slots);
            multiply(k.row(reg(dy)));
            a.fma(memory(Dtype::f32, reg(bias_sum), 0, 1), k.row(reg(dy)), constant(1.0f), slots, reg(k.arg("bias"))).from_zero = true;
            k.column_sum(reg(sums), reg(with_bias));
            a.add_integer(dy, imm(k.tile_row_bytes()));
          });
        },
        another);
    a.add_integer(owner, imm(1));
  });
  k.end();
  return task;
}

}  // namespace wafersim::workloads
