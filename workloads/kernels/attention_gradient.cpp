// Gradient of attention: queries with all that belongs to them (dO, lse, D, dQ) travel the sequence's ring; keys and values stay and
// collect their gradients. Scores are computed again.
#include <cfloat>

#include "workloads/kernels/attention_kernel.h"
#include "workloads/kernels/work_area.h"

namespace wafersim::workloads {

using namespace models;
using sim::Dtype;

namespace {

constexpr int task_next_queries = task_first_local + 1;

// A travelling block; offsets from its start.
struct Block {
  int q, d_o;  // tiles
  int lse, d;  // vectors
  int dq;      // fp32 tile
  std::int64_t bytes;
};

Block block_of(const KernelBuilder& k, const AttentionShape& shape) {
  const std::int64_t tile = std::int64_t{shape.rows} * k.tile_row_bytes(), vector = k.vector_bytes();
  WorkArea area;
  Block b{};
  b.q = area.part(tile, 0);
  b.d_o = area.part(tile, 0);
  b.lse = area.part(vector, 4);
  b.d = area.part(vector, 4);
  b.dq = area.part(shape.rows * vector, 0);
  b.bytes = area.bytes();
  return b;
}

// Offsets in the work area.
struct Work {
  int block_a, block_b;
  int partial;                  // vector
  int received_p, received_ds;  // rows of a tile
  int scores, dp, p, ds;        // a row for each own key
  std::int64_t bytes;
};

Work work_of(const KernelBuilder& k, const AttentionShape& shape) {
  const std::int64_t vector = k.vector_bytes(), keys = own_keys(k), block = block_of(k, shape).bytes;
  WorkArea area;
  Work w{};
  w.block_a = area.part(block, 0);
  w.block_b = area.part(block, 0);
  w.partial = area.part(vector, 4);
  w.received_p = area.part(k.tile_row_bytes(), 4);
  w.received_ds = area.part(k.tile_row_bytes(), 4);
  w.scores = area.part(keys * vector, 0);
  w.dp = area.part(keys * vector, 4);
  w.p = area.part(keys * k.tile_row_bytes(), 4);
  w.ds = area.part(keys * k.tile_row_bytes(), 4);
  w.bytes = area.bytes();
  return w;
}

class AttentionGradient : AttentionKernel {
 public:
  AttentionGradient(KernelBuilder& builder, const AttentionShape& shape)
      : AttentionKernel(builder, shape), b_(block_of(builder, shape)), w_(work_of(builder, shape)) {}

  void emit() {
    const auto idle = a.label(), finish = a.label(), compute = a.label();
    start(idle);
    a.bind(compute);
    k.bind_ring(head);
    scores();
    softmax();
    gradients();
    if (rows_per_sequence > 1) pass_queries_on(compute);
    store_result();
    a.jump(finish);
    a.bind(idle);
    a.mov(tile(dqkv_), constant(0.0f), slots, imm(3 * head_rows));
    a.bind(finish);
  }

 private:
  // While they grow, dK and dV are fp32 tiles in the result's place: of fp16, a half longer than it in all.
  int dk() const { return half_ ? 0 : part; }
  int dv() const { return 2 * part; }

  // The own block, as it will travel. From the first of dK and dV on, o and do are not read: the result may lie there.
  void start(Assembler::Label idle) {
    const int d_o = k.arg("do");
    a.branch_less(r, imm(0), idle);
    a.set(block, reg(work, w_.block_a));
    a.set(next, reg(work, w_.block_b));
    a.mov(tile(block, b_.q), tile(qkv), slots, rows);
    a.mov(tile(block, b_.d_o), tile(d_o), slots, rows);
    a.mov(vector(block, b_.lse), vector(k.arg("lse")), slots);
    a.mov(vector(block, b_.d), constant(0.0f), slots);
    a.fma(vector(block, b_.d), tile(d_o), tile(k.arg("o")), slots, rows);
    k.all_reduce(head, Opcode::add, reg(block, b_.d), slots);
    a.mov(tile32(block, b_.dq), constant(0.0f), slots, rows);
    a.mov(tile32(dqkv_, dk()), constant(0.0f), slots, rows);
    a.mov(tile32(dqkv_, dv()), constant(0.0f), slots, rows);
    bind_sequence_ring();
    a.set(step, imm(0));
    if (!causal) count_padding(r);
  }

  // Scores and dP of every key.
  void scores() {
    a.set(q, reg(block));
    a.set(key, reg(qkv, part));
    a.set(score, reg(work, w_.scores));
    sum_scores({{b_.q, 0, 0}, {b_.d_o, part, w_.dp - w_.scores}}, w_.partial, [] {});
  }

  // P and dS of the own keys.
  void softmax() {
    start_at_own_key(score, next_value, work, w_.scores);
    start_at_own_key(other, next_value, block, b_.lse);
    start_at_own_key(p_, next_query, work, w_.p);
    const int of_scores = vector_bytes + next_value * columns, of_probabilities = row_bytes + next_query * columns;
    each_own_key({{score, of_scores}, {other, next_value * columns}, {p_, of_probabilities}}, [&] {
      const Operand s = vector(score), dp = vector(score, w_.dp - w_.scores);
      a.mul(s, s, constant(scale, Dtype::f32), reg(left));
      if (causal)
        mask_own_query(s);
      else
        mask_padded_key(s);
      a.sub(s, s, vector(other), reg(left));
      a.unary(Opcode::exp, s, s, reg(left));
      a.sub(dp, dp, vector(other, b_.d - b_.lse), reg(left));
      a.mul(dp, s, dp, reg(left));
      a.mul(dp, dp, constant(scale, Dtype::f32), reg(left));
      a.mov(row(p_), s, reg(left));
      a.mov(row(p_, w_.ds - w_.p), dp, reg(left));
    });
  }

  // Queries from an earlier row: query k does not see key k.
  void mask_own_query(const Operand& scores) {
    const auto visible = a.label();
    a.branch_equal(step, imm(0), visible);
    a.branch_less(r, reg(step), visible);
    a.mov(scores, constant(-FLT_MAX), imm(1));
    a.bind(visible);
  }

  // Of values, keys and the visiting queries.
  void gradients() {
    a.set(q, reg(block));
    a.set(key, reg(qkv, part));
    a.set(p_, reg(work, w_.p));
    a.set(score, reg(dqkv_, dk()));
    a.set(other, reg(block, b_.dq));
    // A key's sum over the queries, for every feature.
    const auto feature_sums = [&](int offset) { return memory(Dtype::f32, reg(score, offset), 0, k.pitch()); };
    relay(p_, {{0, w_.received_p}, {w_.ds - w_.p, w_.received_ds}},
          {{q, next_query}, {key, element}, {p_, next_query}, {score, 4}, {other, next_value}}, [&](const std::vector<Operand>& v) {
            const Operand &probability = v[0], &ds = v[1];
            a.fma(feature_sums(dv() - dk()), tile(q, b_.d_o), probability, reg(left), rows);
            a.fma(feature_sums(0), tile(q, b_.q), ds, reg(left), rows);
            a.fma(tile32(other), ds, key_value(), reg(left), rows);
          });
  }

  // The block goes on to the next row with its dQ; after as many steps as the sequence has rows it is home again.
  void pass_queries_on(Assembler::Label compute) {
    const Value words = imm(static_cast<int>(b_.bytes / 4));
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
    a.branch_less(step, imm(rows_per_sequence), compute);
  }

  // Rows of fp16 are half as long as those of fp32 and are written in ascending order behind what is read, where both begin at one place.
  void store_result() {
    if (half_) a.mov(tile(dqkv_, dk()), tile32(dqkv_, dk()), slots, rows);
    if (half_) a.mov(tile(dqkv_, part), tile(dqkv_, dk()), slots, rows);
    if (half_) a.mov(tile(dqkv_, dv()), tile32(dqkv_, dv()), slots, rows);
    a.mov(tile(dqkv_), tile32(block, b_.dq), slots, rows);
  }

  Block b_;
  Work w_;
  const bool half_ = sim::is_half(k.type());
  const int dqkv_ = k.arg("dqkv"), p_ = k.fresh();  // registers; p: row of P of the own key at hand
};

}  // namespace

AttentionGradientBytes attention_gradient_bytes(const KernelBuilder& k, const AttentionShape& shape) {
  const std::int64_t result = std::int64_t{sim::is_half(k.type()) ? 4 : 3} * shape.rows * k.tile_row_bytes();
  return {work_of(k, shape).bytes, result};
}

int emit_attention_gradient(KernelBuilder& k, const AttentionShape& shape) {
  const int task = k.begin("attention_gradient", {"qkv", "o", "lse", "do", "dqkv", "work"}, AttentionKernel::words());
  AttentionGradient(k, shape).emit();
  k.end();
  return task;
}

}  // namespace wafersim::workloads
