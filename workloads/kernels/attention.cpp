// Causal attention: the keys and values of a sequence travel its ring of rows; scores are summed over a head's columns, the softmax of a
// key is computed by one of them, its probabilities are relayed to all.
#include <cfloat>
#include <cmath>

#include "workloads/kernels/attention_keys.h"
#include "workloads/kernels/kernels.h"

namespace wafersim::workloads {

using namespace models;
using sim::Dtype;

namespace {

constexpr int task_next_block = task_first_local;

// Offsets in the work area; the vectors' bank phases (0 or 4) differ where two are read together.
struct Work {
  int m, maximum, l, alpha, partial, received, o, scores, probabilities, block_a, block_b, end;
};

Work work_of(const KernelBuilder& k, int head_rows) {
  const int vector = (k.vector_bytes() + 15) / 8 * 8;
  Work w;
  w.m = 4;
  w.maximum = w.m + vector;
  w.l = w.maximum + vector;
  w.alpha = w.l + vector + 4;
  w.partial = w.alpha + vector;
  w.received = w.partial + vector;
  w.o = w.received + vector + 4;
  w.scores = w.o + head_rows * k.vector_bytes() + 4;
  w.probabilities = w.scores + own_keys(k) * k.vector_bytes();
  w.block_a = w.probabilities + (own_keys(k) * k.tile_row_bytes() + 7) / 8 * 8;
  w.block_b = w.block_a + 2 * head_rows * k.tile_row_bytes();
  w.end = w.block_b + 2 * head_rows * k.tile_row_bytes();
  return w;
}

}  // namespace

int attention_work_bytes(const KernelBuilder& k, int head_rows) { return work_of(k, head_rows).end; }

int emit_attention(KernelBuilder& k, int head_features, int head_rows) {
  Assembler& a = k.a;
  const auto head = KernelBuilder::Group::head;
  const int task = k.begin("attention", {"qkv", "o", "lse", "work"},
                           {KernelBuilder::ring_words(head),
                            KernelBuilder::relay_ring_words(head),
                            KernelBuilder::all_reduce_words(head),
                            {word_sequence_row, word_sequence_in, word_sequence_out}});
  const Work w = work_of(k, head_rows);
  const Layout& layout = k.layout();
  const int element = sim::bytes_of(k.type()), row_bytes = k.tile_row_bytes(), vector_bytes = k.vector_bytes(),
            columns = layout.columns_per_head;
  const float scale = 1.0f / std::sqrt(static_cast<float>(head_features));
  const Value slots = imm(k.slots()), rows = imm(head_rows);
  const int qkv = k.arg("qkv"), work = k.arg("work"), r = k.word(word_sequence_row), self = k.word(word_head_column);
  const int step = k.fresh(), block = k.fresh(), next = k.fresh(), owner = k.fresh(), left = k.fresh(), q = k.fresh(), key = k.fresh(),
            score = k.fresh(), other = k.fresh();
  const auto at = [&](int offset) { return k.vector(reg(work, offset)); };
  const Operand in = input(Dtype::f32, in_row), out = output(Dtype::f32, out_row), partial = at(w.partial);
  const Operand o_tile = k.tile(reg(k.arg("o"))), lse = k.vector(reg(k.arg("lse")));
  AttentionKeys keys(k, owner, left);

  const auto finish = a.label(), compute = a.label();
  a.mov(o_tile, constant(0.0f), slots, rows);
  a.mov(lse, constant(0.0f), slots);
  a.branch_less(r, imm(0), finish);
  a.mov(at(w.m), constant(-FLT_MAX), slots);
  a.mov(at(w.l), constant(0.0f), slots);
  a.mov(k.tile32(reg(work, w.o)), constant(0.0f), slots, rows);
  if (layout.rows_per_sequence > 1) {
    a.bind_input(in_column, reg(k.word(word_sequence_in)));
    a.bind_output(out_column, reg(k.word(word_sequence_out)));
  }
  a.set(step, imm(0));
  a.set(block, reg(qkv, head_rows * row_bytes));  // keys, then values
  a.set(next, reg(work, w.block_a));

  a.bind(compute);
  // While this block is worked on, it goes to the next row and the previous row's comes.
  const auto no_travel = a.label(), travels = a.label();
  a.branch_equal(step, imm(layout.rows_per_sequence - 1), no_travel);
  if (layout.rows_per_sequence > 1) {
    a.block(task_next_block);
    Instruction& send = a.mov(output(k.type(), out_column), k.tile(reg(block)), slots, imm(2 * head_rows));
    send.microthread = 1;
    send.then_unblock = task_next_block;
    Instruction& receive = a.mov(k.tile(reg(next)), input(k.type(), in_column), slots, imm(2 * head_rows));
    receive.microthread = 2;
    receive.then_activate = task_next_block;
    a.jump(travels);
  }
  a.bind(no_travel);
  a.unblock(task_next_block);
  a.activate(task_next_block);
  a.bind(travels);

  // Scores.
  k.bind_ring(head);
  a.set(q, reg(qkv));
  a.set(key, reg(block));
  a.set(score, reg(work, w.scores));
  keys.each({{q, element}, {key, element}, {score, 4}}, [&] {
    const auto multiply = [&](const Operand& sum) {
      Instruction& i = a.fma(sum, memory(k.type(), reg(q), 1, k.pitch()), memory_scalar(k.type(), reg(key), k.pitch()), reg(left), rows);
      i.from_zero = true;
      i.new_output = true;
    };
    k.with_role(
        head, owner,
        [&] {
          multiply(partial);
          a.mov(out, partial, reg(left));
        },
        [&] {
          multiply(partial);
          a.add(out, partial, in, reg(left));
        },
        [&] {
          const Operand s = memory(Dtype::f32, reg(score));
          multiply(k.alone(head) ? s : partial);
          if (!k.alone(head)) a.add(s, partial, in, reg(left));
          a.mul(s, s, constant(scale, Dtype::f32), reg(left));
          const auto masked = a.label(), visible = a.label();
          a.branch_less(r, reg(step), masked);  // the block is from a later row: its key k comes after query k
          a.jump(visible);
          a.bind(masked);
          a.mov(s, constant(-FLT_MAX), imm(1));
          a.bind(visible);
          a.add_integer(score, imm(vector_bytes));
        });
  });

  // Maxima, and what they change.
  const auto own_start = [&](int offset, int address) {
    a.set(address, reg(self));
    a.mul_integer(address, imm(4));
    a.add_integer(address, reg(work, offset));
  };
  a.mov(at(w.maximum), at(w.m), slots);
  own_start(w.scores, score);
  own_start(w.maximum, other);
  keys.own(self, {{score, vector_bytes + 4 * columns}, {other, 4 * columns}},
           [&] { a.max(k.vector(reg(other)), k.vector(reg(other)), k.vector(reg(score)), reg(left)); });
  k.all_reduce(head, Opcode::max, reg(work, w.maximum), slots);
  a.sub(at(w.alpha), at(w.m), at(w.maximum), slots);
  a.unary(Opcode::exp, at(w.alpha), at(w.alpha), slots);
  a.mul(at(w.l), at(w.l), at(w.alpha), slots);
  a.mul(k.tile32(reg(work, w.o)), k.tile32(reg(work, w.o)), at(w.alpha), slots, rows);
  a.mov(at(w.m), at(w.maximum), slots);

  // Probabilities of the own keys.
  own_start(w.scores, score);
  own_start(w.m, other);
  a.set(q, reg(self));
  a.mul_integer(q, imm(element));
  a.add_integer(q, reg(work, w.probabilities));
  keys.own(self, {{score, vector_bytes + 4 * columns}, {other, 4 * columns}, {q, row_bytes + element * columns}}, [&] {
    const Operand s = k.vector(reg(score));
    a.sub(s, s, k.vector(reg(other)), reg(left));
    a.unary(Opcode::exp, s, s, reg(left));
    const Operand l = k.vector(reg(other, w.l - w.m));
    a.add(l, l, s, reg(left));
    a.mov(k.row(reg(q)), s, reg(left));
  });

  // Values, weighted.
  k.bind_ring(head);
  a.set(q, reg(work, w.probabilities));
  a.set(key, reg(block, head_rows * row_bytes));
  a.set(other, reg(work, w.o));
  keys.each({{q, element}, {key, element}, {other, 4}}, [&] {
    const auto accumulate = [&](const Operand& p) {
      a.fma(k.tile32(reg(other)), p, memory_scalar(k.type(), reg(key), k.pitch()), reg(left), rows);
    };
    k.with_relay(
        head, owner,
        [&] {
          if (!k.alone(head)) a.mov(output(k.type(), out_row), k.row(reg(q)), reg(left));
          accumulate(k.row(reg(q)));
          a.add_integer(q, imm(row_bytes));
        },
        [&](bool forwards) {
          const Operand p = k.row(reg(work, w.received));
          a.mov(p, input(k.type(), in_row), reg(left));
          if (forwards) a.mov(output(k.type(), out_row), p, reg(left));
          accumulate(p);
        });
  });
  a.end_task();

  k.begin_part(task_next_block, "attention: next block");
  a.add_integer(step, imm(1));
  const auto last = a.label();
  a.branch_equal(step, imm(layout.rows_per_sequence), last);
  // The block just received is next; the one just sent has been read, so its place is free (the first block stays in qkv).
  a.set(other, reg(work, w.block_a));
  const auto use_a = a.label();
  a.set(block, reg(next));
  a.branch_not_equal(block, reg(other), use_a);
  a.set(other, reg(work, w.block_b));
  a.bind(use_a);
  a.set(next, reg(other));
  a.jump(compute);
  a.bind(last);
  k.all_reduce(head, Opcode::add, reg(work, w.l), slots);
  a.unary(Opcode::recip, at(w.alpha), at(w.l), slots);
  a.mul(k.tile32(reg(work, w.o)), k.tile32(reg(work, w.o)), at(w.alpha), slots, rows);
  a.mov(o_tile, k.tile32(reg(work, w.o)), slots, rows);
  a.unary(Opcode::log, at(w.l), at(w.l), slots);
  a.add(lse, at(w.m), at(w.l), slots);
  a.bind(finish);
  k.end();
  return task;
}

}  // namespace wafersim::workloads
