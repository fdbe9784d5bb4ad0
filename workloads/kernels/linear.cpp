// Linear layers: forward and input gradient are the same program on different streams.
#include "workloads/kernels/kernels.h"

namespace wafersim::workloads {

using namespace models;
using sim::Dtype;

void linear_sums(KernelBuilder& k, const LinearRegisters& r) {
  Assembler& a = k.a;
  const Value slots = imm(k.slots());
  const int owner = k.fresh(), sum = k.fresh();
  const Operand partial = k.vector(reg(r.partial)), in = input(Dtype::f32, in_row), out = output(Dtype::f32, out_row);
  const auto multiply = [&](const Operand& accumulators) {
    Instruction& i = a.fma(accumulators, k.tile(reg(r.x)), k.weight(), slots, reg(r.inputs));
    i.from_zero = true;
    i.new_output = true;
  };
  k.bind_ring(KernelBuilder::Group::lane);
  a.set(owner, imm(0));
  a.set(sum, reg(r.sums));
  a.loop(imm(k.layout().columns), [&] {
    k.with_role(
        KernelBuilder::Group::lane, owner,
        [&] {
          a.loop(reg(r.outputs), [&] {
            multiply(partial);
            a.mov(out, partial, slots);
          });
        },
        [&] {
          a.loop(reg(r.outputs), [&] {
            multiply(partial);
            a.add(out, partial, in, slots);
          });
        },
        [&] {
          a.loop(reg(r.outputs), [&] {
            if (k.alone(KernelBuilder::Group::lane)) {
              multiply(k.vector(reg(sum)));
            } else {
              multiply(partial);
              a.add(k.vector(reg(sum)), partial, in, slots);
            }
            a.add_integer(sum, imm(k.vector_bytes()));
          });
        });
    a.add_integer(owner, imm(1));
  });
}

int emit_linear(KernelBuilder& k) {
  Assembler& a = k.a;
  const int task = k.begin("linear", {"x", "inputs", "partial", "sums", "outputs", "y", "biases", "feed"},
                           {KernelBuilder::ring_words(KernelBuilder::Group::lane), KernelBuilder::relay_words()});
  k.relay_weights(reg(k.arg("feed")));
  linear_sums(k, {k.arg("x"), k.arg("inputs"), k.arg("partial"), k.arg("sums"), k.arg("outputs")});
  const Operand sums = k.tile32(reg(k.arg("sums")));
  a.add(sums, sums, k.weight(), imm(k.slots()), reg(k.arg("biases")));
  if (sim::is_half(k.type())) a.mov(k.tile(reg(k.arg("y"))), sums, imm(k.slots()), reg(k.arg("outputs")));
  k.end();
  return task;
}

}  // namespace wafersim::workloads
