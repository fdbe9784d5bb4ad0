// Gradient of causal attention: queries with all that belongs to them (dO, lse, D, dQ) travel the sequence's ring; keys and values stay and
// collect their gradients. Scores are computed again.
#include <cfloat>
#include <cmath>

#include "workloads/kernels/attention_keys.h"
#include "workloads/kernels/kernels.h"

namespace wafersim::workloads {

using namespace models;
using sim::Dtype;

namespace {

constexpr int task_next_queries = task_first_local + 1;

// A travelling block: queries, dO (tiles), lse, D (vectors), dQ (fp32 tile); offsets from its start.
struct Block {
  int q, d_o, lse, d, dq, bytes;
};

struct Work {
  Block block;
  int block_a, block_b, partial, received_p, received_ds, dk, dv, scores, dp, p, ds, end;
};

Work work_of(const KernelBuilder& k, int head_rows) {
  const auto even = [](int bytes) { return (bytes + 7) / 8 * 8; };
  const int tile = even(head_rows * k.tile_row_bytes()), tile32 = even(head_rows * k.vector_bytes()), vector = even(k.vector_bytes());
  Work w;
  w.block = {0, tile, 2 * tile + 4, 2 * tile + 4 + vector, 2 * tile + 8 + 2 * vector, 2 * tile + 8 + 2 * vector + tile32};
  w.block_a = 0;
  w.block_b = w.block_a + w.block.bytes;
  w.partial = w.block_b + w.block.bytes + 4;
  w.received_p = w.partial + vector;
  w.received_ds = w.received_p + vector;
  w.dk = w.received_ds + vector + 4;
  w.dv = w.dk + tile32;
  w.scores = w.dv + tile32;
  w.dp = w.scores + own_keys(k) * k.vector_bytes() + 4;
  w.p = w.dp + own_keys(k) * k.vector_bytes();
  w.ds = w.p + even(own_keys(k) * k.tile_row_bytes());
  w.end = w.ds + even(own_keys(k) * k.tile_row_bytes());
  return w;
}

}  // namespace

int attention_gradient_work_bytes(const KernelBuilder& k, int head_rows) { return work_of(k, head_rows).end; }

int emit_attention_gradient(KernelBuilder& k, int head_features, int head_rows) {
  Assembler& a = k.a;
  const auto head = KernelBuilder::Group::head;
  const int task = k.begin("attention_gradient", {"qkv", "o", "lse", "do", "dqkv", "work"},
                           {KernelBuilder::ring_words(head),
                            KernelBuilder::relay_ring_words(head),
                            KernelBuilder::all_reduce_words(head),
                            {word_sequence_row, word_sequence_in, word_sequence_out}});
  const Work w = work_of(k, head_rows);
  const Layout& layout = k.layout();
  const int element = sim::bytes_of(k.type()), row_bytes = k.tile_row_bytes(), vector_bytes = k.vector_bytes(),
            columns = layout.columns_per_head, part = head_rows * row_bytes;
  const float scale = 1.0f / std::sqrt(static_cast<float>(head_features));
  const Value slots = imm(k.slots()), rows = imm(head_rows);
  const int qkv = k.arg("qkv"), work = k.arg("work"), dqkv = k.arg("dqkv"), r = k.word(word_sequence_row), self = k.word(word_head_column);
  const int step = k.fresh(), block = k.fresh(), next = k.fresh(), owner = k.fresh(), left = k.fresh(), q = k.fresh(), key = k.fresh(),
            score = k.fresh(), other = k.fresh(), p = k.fresh();
  const auto tile_at = [&](int r_base, int offset) { return k.tile(reg(r_base, offset)); };
  const auto tile32_at = [&](int r_base, int offset) { return k.tile32(reg(r_base, offset)); };
  const Operand in = input(Dtype::f32, in_row), out = output(Dtype::f32, out_row), partial = k.vector(reg(work, w.partial));
  AttentionKeys keys(k, owner, left);

  const auto finish = a.label(), compute = a.label();
  a.mov(tile_at(dqkv, 0), constant(0.0f), slots, imm(3 * head_rows));
  a.branch_less(r, imm(0), finish);
  // The own block, as it will travel.
  a.set(block, reg(work, w.block_a));
  a.set(next, reg(work, w.block_b));
  a.mov(tile_at(block, w.block.q), tile_at(qkv, 0), slots, rows);
  a.mov(tile_at(block, w.block.d_o), tile_at(k.arg("do"), 0), slots, rows);
  a.mov(k.vector(reg(block, w.block.lse)), k.vector(reg(k.arg("lse"))), slots);
  a.mov(k.vector(reg(block, w.block.d)), constant(0.0f), slots);
  a.fma(k.vector(reg(block, w.block.d)), tile_at(k.arg("do"), 0), tile_at(k.arg("o"), 0), slots, rows);
  k.all_reduce(head, Opcode::add, reg(block, w.block.d), slots);
  a.mov(tile32_at(block, w.block.dq), constant(0.0f), slots, rows);
  a.mov(tile32_at(work, w.dk), constant(0.0f), slots, rows);
  a.mov(tile32_at(work, w.dv), constant(0.0f), slots, rows);
  if (layout.rows_per_sequence > 1) {
    a.bind_input(in_column, reg(k.word(word_sequence_in)));
    a.bind_output(out_column, reg(k.word(word_sequence_out)));
  }
  a.set(step, imm(0));

  a.bind(compute);
  k.bind_ring(head);
  // Scores and dP of every key.
  a.set(q, reg(block));
  a.set(key, reg(qkv, part));
  a.set(score, reg(work, w.scores));
  keys.each({{q, element}, {key, element}, {score, 4}}, [&] {
    const auto multiply = [&](const Operand& sum, int query_offset, int key_offset) {
      Instruction& i = a.fma(sum, tile_at(q, query_offset), memory_scalar(k.type(), reg(key, key_offset), k.pitch()), reg(left), rows);
      i.from_zero = true;
      i.new_output = true;
    };
    const int values = part, d_o = w.block.d_o;
    k.with_role(
        head, owner,
        [&] {
          multiply(partial, 0, 0);
          a.mov(out, partial, reg(left));
          multiply(partial, d_o, values);
          a.mov(out, partial, reg(left));
        },
        [&] {
          multiply(partial, 0, 0);
          a.add(out, partial, in, reg(left));
          multiply(partial, d_o, values);
          a.add(out, partial, in, reg(left));
        },
        [&] {
          const Operand s = k.vector(reg(score)), dp = k.vector(reg(score, w.dp - w.scores));
          multiply(k.alone(head) ? s : partial, 0, 0);
          if (!k.alone(head)) a.add(s, partial, in, reg(left));
          multiply(k.alone(head) ? dp : partial, d_o, values);
          if (!k.alone(head)) a.add(dp, partial, in, reg(left));
          a.add_integer(score, imm(vector_bytes));
        });
  });

  // P and dS of the own keys.
  const auto own_start = [&](int address, int bytes, int base, int offset) {
    a.set(address, reg(self));
    a.mul_integer(address, imm(bytes));
    a.add_integer(address, reg(base, offset));
  };
  own_start(score, 4, work, w.scores);
  own_start(other, 4, block, w.block.lse);
  own_start(p, element, work, w.p);
  keys.own(self, {{score, vector_bytes + 4 * columns}, {other, 4 * columns}, {p, row_bytes + element * columns}}, [&] {
    const Operand s = k.vector(reg(score)), dp = k.vector(reg(score, w.dp - w.scores));
    a.mul(s, s, constant(scale, Dtype::f32), reg(left));
    const auto visible = a.label();
    a.branch_equal(step, imm(0), visible);
    a.branch_less(r, reg(step), visible);
    a.mov(s, constant(-FLT_MAX), imm(1));  // these queries are from an earlier row: query k does not see key k
    a.bind(visible);
    a.sub(s, s, k.vector(reg(other)), reg(left));
    a.unary(Opcode::exp, s, s, reg(left));
    a.sub(dp, dp, k.vector(reg(other, w.block.d - w.block.lse)), reg(left));
    a.mul(dp, s, dp, reg(left));
    a.mul(dp, dp, constant(scale, Dtype::f32), reg(left));
    a.mov(k.row(reg(p)), s, reg(left));
    a.mov(k.row(reg(p, w.ds - w.p)), dp, reg(left));
  });

  // Gradients of values, keys and the visiting queries.
  a.set(q, reg(block));
  a.set(key, reg(qkv, part));
  a.set(p, reg(work, w.p));
  a.set(score, reg(work, w.dk));
  a.set(other, reg(block, w.block.dq));
  keys.each({{q, element}, {key, element}, {p, element}, {score, 4}, {other, 4}}, [&] {
    const auto accumulate = [&](const Operand& probability, const Operand& ds) {
      a.fma(memory(Dtype::f32, reg(score, w.dv - w.dk), 0, k.pitch()), tile_at(q, w.block.d_o), probability, reg(left), rows);
      a.fma(memory(Dtype::f32, reg(score), 0, k.pitch()), tile_at(q, 0), ds, reg(left), rows);
      a.fma(tile32_at(other, 0), ds, memory_scalar(k.type(), reg(key), k.pitch()), reg(left), rows);
    };
    const Operand in_p = input(k.type(), in_row), out_p = output(k.type(), out_row);
    k.with_relay(
        head, owner,
        [&] {
          const Operand probability = k.row(reg(p)), ds = k.row(reg(p, w.ds - w.p));
          if (!k.alone(head)) {
            a.mov(out_p, probability, reg(left));
            a.mov(out_p, ds, reg(left));
          }
          accumulate(probability, ds);
          a.add_integer(p, imm(row_bytes));
        },
        [&](bool forwards) {
          const Operand probability = k.row(reg(work, w.received_p)), ds = k.row(reg(work, w.received_ds));
          a.mov(probability, in_p, reg(left));
          if (forwards) a.mov(out_p, probability, reg(left));
          a.mov(ds, in_p, reg(left));
          if (forwards) a.mov(out_p, ds, reg(left));
          accumulate(probability, ds);
        });
  });

  // The block goes on to the next row with its dQ; after as many steps as the sequence has rows it is home again.
  if (layout.rows_per_sequence > 1) {
    const Value words = imm(w.block.bytes / 4);
    a.block(task_next_queries);
    Instruction& send = a.mov(output(Dtype::u32, out_column), memory(Dtype::u32, reg(block)), words);
    send.microthread = 1;
    send.then_unblock = task_next_queries;
    Instruction& receive = a.mov(memory(Dtype::u32, reg(next)), input(Dtype::u32, in_column), words);
    receive.microthread = 2;
    receive.then_activate = task_next_queries;
    a.end_task();
    k.begin_part(task_next_queries, "attention_gradient: next queries");
    a.set(other, reg(block));
    a.set(block, reg(next));
    a.set(next, reg(other));
    a.add_integer(step, imm(1));
    a.branch_less(step, imm(layout.rows_per_sequence), compute);
  }
  a.mov(tile_at(dqkv, 0), tile32_at(block, w.block.dq), slots, rows);
  a.mov(tile_at(dqkv, part), tile32_at(work, w.dk), slots, rows);
  a.mov(tile_at(dqkv, 2 * part), tile32_at(work, w.dv), slots, rows);
  a.bind(finish);
  k.end();
  return task;
}

}  // namespace wafersim::workloads
