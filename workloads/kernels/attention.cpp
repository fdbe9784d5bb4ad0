// Attention: the keys and values of a sequence travel its ring of rows; scores are summed over a head's columns, the softmax of a
// key is computed by one of them, its probabilities are relayed to all.
#include <cfloat>

#include "workloads/kernels/attention_kernel.h"
#include "workloads/kernels/work_area.h"

namespace wafersim::workloads {

using namespace models;
using sim::Dtype;

namespace {

constexpr int task_next_block = task_first_local;

// Offsets in the work area. Where two vectors are read together their phases differ.
struct Work {
  int m, maximum, l, alpha, partial, received;  // a value a slot
  int o;                                        // fp32 tile
  int scores, probabilities;                    // a row for each own key
  int block_a, block_b;                         // keys and values on their way
  std::int64_t bytes;
};

Work work_of(const KernelBuilder& k, const AttentionShape& shape) {
  const std::int64_t vector = k.vector_bytes(), keys = own_keys(k), block = std::int64_t{2} * shape.rows * k.tile_row_bytes();
  WorkArea area;
  Work w{};
  w.m = area.part(vector, 4);
  w.maximum = area.part(vector, 4);
  w.l = area.part(vector, 4);
  w.alpha = area.part(vector, 0);
  w.partial = area.part(vector, 0);
  w.received = area.part(vector, 0);
  w.o = area.part(shape.rows * vector, 4);
  w.scores = area.part(keys * vector, 0);
  w.probabilities = area.part(keys * k.tile_row_bytes(), 0);
  w.block_a = area.part(block, 0);
  w.block_b = area.part(block, 0);
  w.bytes = area.bytes();
  return w;
}

class Attention : AttentionKernel {
 public:
  Attention(KernelBuilder& builder, const AttentionShape& shape) : AttentionKernel(builder, shape), w_(work_of(builder, shape)) {}

  void emit() {
    const auto finish = a.label(), compute = a.label();
    start(finish);
    a.bind(compute);
    if (!causal) count_padding_of_block();
    exchange_blocks();
    k.bind_ring(head);
    scores();
    raise_maxima();
    probabilities();
    weigh_values();
    a.end_task();
    k.begin_part(task_next_block, "attention: next block");
    next_block(compute);
    store_result();
    a.bind(finish);
  }

 private:
  Operand at(int offset) const { return vector(work, offset); }

  void start(Assembler::Label finish) {
    a.mov(tile(k.arg("o")), constant(0.0f), slots, rows);
    a.mov(vector(k.arg("lse")), constant(0.0f), slots);
    a.branch_less(r, imm(0), finish);
    a.mov(at(w_.m), constant(-FLT_MAX), slots);
    a.mov(at(w_.l), constant(0.0f), slots);
    a.mov(tile32(work, w_.o), constant(0.0f), slots, rows);
    bind_sequence_ring();
    a.set(step, imm(0));
    a.set(block, reg(qkv, part));  // keys, then values
    a.set(next, reg(work, w_.block_a));
  }

  // It is from row (r - step) mod rows_per_sequence.
  void count_padding_of_block() {
    const auto found = a.label();
    a.set(other, reg(r));
    a.sub_integer(other, reg(step));
    a.add_integer(other, imm(rows_per_sequence));
    a.branch_less(other, imm(rows_per_sequence), found);
    a.sub_integer(other, imm(rows_per_sequence));
    a.bind(found);
    count_padding(other);
  }

  // While a block is worked on, it goes to the next row and the previous row's comes.
  void exchange_blocks() {
    const auto no_travel = a.label(), travels = a.label();
    a.branch_equal(step, imm(rows_per_sequence - 1), no_travel);
    if (rows_per_sequence > 1) {
      a.block(task_next_block);
      Instruction& send = a.mov(output(k.type(), out_column), tile(block), slots, imm(2 * head_rows));
      send.microthread = 1;
      send.then_unblock = task_next_block;
      Instruction& receive = a.mov(tile(next), input(k.type(), in_column), slots, imm(2 * head_rows));
      receive.microthread = 2;
      receive.then_activate = task_next_block;
      a.jump(travels);
    }
    a.bind(no_travel);
    a.unblock(task_next_block);
    a.activate(task_next_block);
    a.bind(travels);
  }

  void scores() {
    a.set(q, reg(qkv));
    a.set(key, reg(block));
    a.set(score, reg(work, w_.scores));
    sum_scores({{0, 0, 0}}, w_.partial, [&] {
      const Operand s = vector(score);
      a.mul(s, s, constant(scale, Dtype::f32), reg(left));
      if (!causal) return;
      const auto masked = a.label(), visible = a.label();
      a.branch_less(r, reg(step), masked);  // the block is from a later row: its key k comes after query k
      a.jump(visible);
      a.bind(masked);
      a.mov(s, constant(-FLT_MAX), imm(1));
      a.bind(visible);
    });
  }

  // Maxima, and what they change.
  void raise_maxima() {
    a.mov(at(w_.maximum), at(w_.m), slots);
    start_at_own_key(score, next_value, work, w_.scores);
    start_at_own_key(other, next_value, work, w_.maximum);
    each_own_key({{score, vector_bytes + next_value * columns}, {other, next_value * columns}}, [&] {
      if (!causal) mask_padded_key(vector(score));
      a.max(vector(other), vector(other), vector(score), reg(left));
    });
    k.all_reduce(head, Opcode::max, reg(work, w_.maximum), slots);
    a.sub(at(w_.alpha), at(w_.m), at(w_.maximum), slots);
    a.unary(Opcode::exp, at(w_.alpha), at(w_.alpha), slots);
    a.mul(at(w_.l), at(w_.l), at(w_.alpha), slots);
    a.mul(tile32(work, w_.o), tile32(work, w_.o), at(w_.alpha), slots, rows);
    a.mov(at(w_.m), at(w_.maximum), slots);
  }

  // Of the own keys.
  void probabilities() {
    start_at_own_key(score, next_value, work, w_.scores);
    start_at_own_key(other, next_value, work, w_.m);
    start_at_own_key(q, next_query, work, w_.probabilities);
    const int of_scores = vector_bytes + next_value * columns, of_probabilities = row_bytes + next_query * columns;
    each_own_key({{score, of_scores}, {other, next_value * columns}, {q, of_probabilities}}, [&] {
      const Operand s = vector(score), l = vector(other, w_.l - w_.m);
      a.sub(s, s, vector(other), reg(left));
      a.unary(Opcode::exp, s, s, reg(left));
      a.add(l, l, s, reg(left));
      a.mov(row(q), s, reg(left));
    });
  }

  void weigh_values() {
    k.bind_ring(head);
    a.set(q, reg(work, w_.probabilities));
    a.set(key, reg(block, part));
    a.set(other, reg(work, w_.o));
    relay(q, {{0, w_.received}}, {{q, next_query}, {key, element}, {other, next_value}},
          [&](const std::vector<Operand>& p) { a.fma(tile32(other), p[0], key_value(), reg(left), rows); });
  }

  void next_block(Assembler::Label compute) {
    const auto last = a.label(), use_a = a.label();
    a.add_integer(step, imm(1));
    a.branch_equal(step, imm(rows_per_sequence), last);
    // The block just received is next; the one just sent has been read, so its place is free (the first block stays in qkv).
    a.set(other, reg(work, w_.block_a));
    a.set(block, reg(next));
    a.branch_not_equal(block, reg(other), use_a);
    a.set(other, reg(work, w_.block_b));
    a.bind(use_a);
    a.set(next, reg(other));
    a.jump(compute);
    a.bind(last);
  }

  void store_result() {
    const Operand o = tile32(work, w_.o);
    k.all_reduce(head, Opcode::add, reg(work, w_.l), slots);
    a.unary(Opcode::recip, at(w_.alpha), at(w_.l), slots);
    a.mul(o, o, at(w_.alpha), slots, rows);
    a.mov(tile(k.arg("o")), o, slots, rows);
    a.unary(Opcode::log, at(w_.l), at(w_.l), slots);
    a.add(vector(k.arg("lse")), at(w_.m), at(w_.l), slots);
  }

  Work w_;
};

}  // namespace

std::int64_t attention_work_bytes(const KernelBuilder& k, const AttentionShape& shape) { return work_of(k, shape).bytes; }

int emit_attention(KernelBuilder& k, const AttentionShape& shape) {
  const int task = k.begin("attention", {"qkv", "o", "lse", "work"}, AttentionKernel::words());
  Attention(k, shape).emit();
  k.end();
  return task;
}

}  // namespace wafersim::workloads
