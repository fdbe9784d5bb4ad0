// Token rows in and out: a row's tokens come along it, each column takes its window; gradients leave to the west, nearest column first.
#include "workloads/kernels/kernels.h"

namespace wafersim::workloads {

using namespace models;
using sim::Dtype;

int emit_embedding(KernelBuilder& k, int row_kinds) {
  Assembler& a = k.a;
  const int task = k.begin(
      "embedding", row_kinds > 1 ? std::vector<std::string>{"x", "further", "features"} : std::vector<std::string>{"x", "features"}, {});
  // A token's features are consecutive on the wire and a column of the tile.
  const auto receive = [&](int base) {
    a.mov(memory(k.type(), reg(base), k.pitch(), 1), input(k.type(), in_edge), reg(k.arg("features")), imm(k.slots()));
  };
  a.bind_input(in_edge, imm(color_e0));
  receive(k.arg("x"));
  for (int kind = 1; kind < row_kinds; ++kind) {
    receive(k.arg("further"));
    const Operand x = k.tile(reg(k.arg("x")));
    a.add(x, x, k.tile(reg(k.arg("further"))), imm(k.slots()), reg(k.arg("features")));
  }
  k.end();
  return task;
}

int emit_embedding_gradient(KernelBuilder& k) {
  Assembler& a = k.a;
  const int task = k.begin("embedding_gradient", {"dx", "features"}, {{word_x}});
  a.bind_output(out_edge, imm(color_g));
  const Operand out = output(Dtype::f32, out_edge), dx = k.tile(reg(k.arg("dx")));
  const int width = k.layout().lanes * k.layout().columns;
  const auto last = a.label(), done = a.label();
  a.branch_equal(k.word(word_x), imm(width - 1), last);
  a.mov(out, dx, imm(k.slots()), reg(k.arg("features"))).advance = true;
  a.jump(done);
  a.bind(last);
  a.mov(out, dx, imm(k.slots()), reg(k.arg("features")));
  if (width > 1) send_reset(k, out_edge);
  a.bind(done);
  k.end();
  return task;
}

}  // namespace wafersim::workloads
