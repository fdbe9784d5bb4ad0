// Unembedding and softmax cross-entropy, the vocabulary in chunks. Logits stay in fp32 at their owner column.
#include <cfloat>

#include "workloads/kernels/kernels.h"
#include "workloads/kernels/work_area.h"

namespace wafersim::workloads {

using namespace models;
using sim::Dtype;

namespace {

// Offsets in the work area. Where two vectors are read together their phases differ.
struct Work {
  int m, maximum;  // a value a slot
  int s, sel;      // neighbours without a gap, so that one all-reduce sums both
  int scratch, other;
  int partial;
  int scale;   // one value
  int logits;  // fp32 tile
  std::int64_t bytes;
};

Work work_of(const KernelBuilder& k, int chunk_outputs) {
  const std::int64_t vector = k.vector_bytes();
  const int values = 4 * k.slots();
  WorkArea area;
  Work w{};
  w.m = area.part(vector, 4);
  w.maximum = area.part(vector, 4);
  w.s = area.part(std::int64_t{2} * values, 4);
  w.sel = w.s + values;
  w.scratch = area.part(vector, 0);
  w.other = area.part(vector, 4);
  w.partial = area.part(vector, 4);
  w.scale = area.part(4, 4);
  w.logits = area.part(chunk_outputs * vector, 0);
  w.bytes = area.bytes();
  return w;
}

constexpr std::int32_t no_target = -1;

}  // namespace

std::int64_t loss_work_bytes(const KernelBuilder& k, int chunk_outputs) { return work_of(k, chunk_outputs).bytes; }

int emit_loss(KernelBuilder& k, int outputs, int chunk_outputs) {
  Assembler& a = k.a;
  const auto lane = KernelBuilder::Group::lane;
  const int task = k.begin("loss", {"x", "lse", "targets", "work", "features", "feed"},
                           {KernelBuilder::relay_words(),
                            KernelBuilder::ring_words(lane),
                            KernelBuilder::all_reduce_words(lane),
                            KernelBuilder::column_sum_words(),
                            {word_vocabulary_first, word_vocabulary_last}});
  const Work w = work_of(k, chunk_outputs);
  const Value slots = imm(k.slots());
  const int per_chunk = k.layout().columns * chunk_outputs, chunks = ceil_divide(outputs, per_chunk);
  const int work = k.arg("work");
  const auto at = [&](int offset) { return k.vector(reg(work, offset)); };
  const Operand m = at(w.m), maximum = at(w.maximum), s = at(w.s), sel = at(w.sel), scratch = at(w.scratch);
  const Operand targets = memory(Dtype::u32, reg(k.arg("targets")));
  const int partial = k.fresh(), logits = k.fresh(), rows = k.fresh(), chunk = k.fresh(), count = k.fresh(), row = k.fresh(),
            id = k.fresh();

  k.relay_weights(reg(k.arg("feed")));
  a.bind_input(in_edge, imm(color_e1));
  a.mov(targets, input(Dtype::u32, in_edge), slots);
  a.mov(m, constant(-FLT_MAX), slots);
  a.mov(s, constant(0.0f), imm(2 * k.slots()));
  a.set(partial, reg(work, w.partial));
  a.set(logits, reg(work, w.logits));
  a.set(rows, imm(chunk_outputs));
  a.set(chunk, imm(0));
  const auto next_chunk = a.label(), whole = a.label();
  a.bind(next_chunk);
  linear_sums(k, {k.arg("x"), k.arg("features"), partial, logits, rows});
  a.set(count, imm(chunk_outputs));
  a.branch_not_equal(chunk, imm(chunks - 1), whole);
  a.set(count, reg(k.word(word_vocabulary_last)));
  a.bind(whole);
  a.mov(maximum, m, slots);
  a.set(row, reg(logits));
  a.loop(reg(count), [&] {
    a.max(maximum, maximum, k.vector(reg(row)), slots);
    a.add_integer(row, imm(k.vector_bytes()));
  });
  a.sub(scratch, m, maximum, slots);
  a.unary(Opcode::exp, scratch, scratch, slots);
  a.mul(s, s, scratch, slots);
  a.mov(m, maximum, slots);
  a.set(row, reg(logits));
  a.set(id, reg(chunk));
  a.mul_integer(id, imm(per_chunk));
  a.add_integer(id, reg(k.word(word_vocabulary_first)));
  a.loop(reg(count), [&] {
    a.sub(scratch, k.vector(reg(row)), m, slots);
    a.unary(Opcode::exp, scratch, scratch, slots);
    a.add(s, s, scratch, slots);
    a.select_equal(sel, targets, k.vector(reg(row)), reg(id), slots);
    a.add_integer(row, imm(k.vector_bytes()));
    a.add_integer(id, imm(1));
  });
  a.add_integer(chunk, imm(1));
  a.branch_less(chunk, imm(chunks), next_chunk);

  k.all_reduce(lane, Opcode::max, reg(work, w.maximum), slots);
  a.sub(scratch, m, maximum, slots);
  a.unary(Opcode::exp, scratch, scratch, slots);
  a.mul(s, s, scratch, slots);
  k.all_reduce(lane, Opcode::add, reg(work, w.s), imm(2 * k.slots()));
  a.unary(Opcode::log, scratch, s, slots);
  const Operand lse = k.vector(reg(k.arg("lse")));
  a.add(lse, maximum, scratch, slots);
  a.sub(scratch, lse, sel, slots);
  a.select_equal(scratch, targets, constant(0.0f), imm(no_target), slots);
  a.fma(memory(Dtype::f32, reg(work, w.scale), 0, 1), scratch, constant(1.0f), slots).from_zero = true;
  k.bind_column_sum();
  k.column_sum(reg(work, w.scale), imm(1));
  k.end();
  return task;
}

int emit_logit_gradient(KernelBuilder& k, int chunk_outputs) {
  Assembler& a = k.a;
  const auto lane = KernelBuilder::Group::lane;
  const int task = k.begin("logit_gradient", {"x", "lse", "targets", "dy", "work", "features", "first", "last", "feed"},
                           {KernelBuilder::relay_words(), KernelBuilder::ring_words(lane), {word_vocabulary_first, word_vocabulary_last}});
  const Work w = work_of(k, chunk_outputs);
  const Value slots = imm(k.slots());
  const int work = k.arg("work");
  const auto at = [&](int offset) { return k.vector(reg(work, offset)); };
  const Operand scale = at(w.m), scratch = at(w.scratch), other = at(w.other), lse = k.vector(reg(k.arg("lse")));
  const Operand targets = memory(Dtype::u32, reg(k.arg("targets"))), scale_word = memory(Dtype::f32, reg(work, w.scale));
  const int partial = k.fresh(), logits = k.fresh(), rows = k.fresh(), count = k.fresh(), dy = k.fresh(), id = k.fresh();

  k.relay_weights(reg(k.arg("feed")));
  a.mov(scale_word, input(Dtype::f32, in_weights), imm(1));
  a.mov(scale, memory_scalar(Dtype::f32, reg(work, w.scale)), slots);
  a.select_equal(scale, targets, constant(0.0f), imm(no_target), slots);
  a.set(partial, reg(work, w.partial));
  a.set(logits, reg(work, w.logits));
  a.set(rows, imm(chunk_outputs));
  linear_sums(k, {k.arg("x"), k.arg("features"), partial, logits, rows});
  const auto whole = a.label();
  a.set(count, imm(chunk_outputs));
  a.branch_equal(k.arg("last"), imm(0), whole);
  a.set(count, reg(k.word(word_vocabulary_last)));
  a.bind(whole);
  a.set(dy, reg(k.arg("dy")));
  a.mov(k.tile(reg(dy)), constant(0.0f), slots, imm(chunk_outputs));
  a.set(id, reg(k.arg("first")));
  a.add_integer(id, reg(k.word(word_vocabulary_first)));
  a.loop(reg(count), [&] {
    a.sub(scratch, k.vector(reg(logits)), lse, slots);
    a.unary(Opcode::exp, scratch, scratch, slots);
    a.sub(other, scratch, constant(1.0f, Dtype::f32), slots);
    a.select_equal(scratch, targets, other, reg(id), slots);
    a.mul(scratch, scratch, scale, slots);
    a.mov(k.row(reg(dy)), scratch, slots);
    a.add_integer(logits, imm(k.vector_bytes()));
    a.add_integer(dy, imm(k.tile_row_bytes()));
    a.add_integer(id, imm(1));
  });
  k.end();
  return task;
}

}  // namespace wafersim::workloads
