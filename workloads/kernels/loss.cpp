// Unembedding and softmax cross-entropy, the vocabulary in chunks. Logits stay in fp32 at their owner column.
#include <cfloat>

#include "workloads/kernels/kernels.h"
#include "workloads/kernels/work_area.h"

namespace wafersim::workloads {

using namespace models;
using sim::Dtype;

namespace {

// Offsets in the work area. Vectors that a loop over logits reads together lie in different phases, but for logits and lse.
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

namespace {

// Biases of a chunk's outputs from the weight stream, to its logits.
void add_biases(KernelBuilder& k, int logits, int outputs) {
  const Operand sums = k.tile32(reg(logits));
  k.a.add(sums, sums, k.weight(), imm(k.slots()), imm(outputs));
}

// The chunks of the vocabulary one after the other: each column's running maximum and sum of its own logits, then those of the lane.
class Loss {
 public:
  Loss(KernelBuilder& builder, int outputs, int chunk_outputs, bool bias)
      : k(builder),
        a(builder.a),
        w_(work_of(builder, chunk_outputs)),
        chunk_outputs_(chunk_outputs),
        bias_(bias),
        per_chunk_(builder.layout().columns * chunk_outputs),
        chunks_(ceil_divide(outputs, per_chunk_)),
        slots_(imm(builder.slots())) {}

  void emit() {
    start();
    const auto next_chunk = a.label();
    a.bind(next_chunk);
    linear_sums(k, {k.arg("x"), k.arg("features"), partial_, logits_, rows_});
    if (bias_) add_biases(k, logits_, chunk_outputs_);
    take_chunk();
    a.add_integer(chunk_, imm(1));
    a.branch_less(chunk_, imm(chunks_), next_chunk);
    finish();
  }

 private:
  Operand at(int offset) const { return k.vector(reg(k.arg("work"), offset)); }

  void start() {
    k.relay_weights(reg(k.arg("feed")));
    a.bind_input(in_targets, imm(color_e1));
    a.mov(targets_, input(Dtype::u32, in_targets), slots_);
    a.mov(m_, constant(-FLT_MAX), slots_);
    a.mov(s_, constant(0.0f), imm(2 * k.slots()));
    a.set(partial_, reg(k.arg("work"), w_.partial));
    a.set(logits_, reg(k.arg("work"), w_.logits));
    a.set(rows_, imm(chunk_outputs_));
    a.set(chunk_, imm(0));
  }

  // s = s * exp(m - maximum)
  void rescale_sum() {
    a.sub(scratch_, m_, maximum_, slots_);
    a.unary(Opcode::exp, scratch_, scratch_, slots_);
    a.mul(s_, s_, scratch_, slots_);
  }

  void take_chunk() {
    const auto whole = a.label();
    a.set(count_, imm(chunk_outputs_));
    a.branch_not_equal(chunk_, imm(chunks_ - 1), whole);
    a.set(count_, reg(k.word(word_vocabulary_last)));
    a.bind(whole);
    a.mov(maximum_, m_, slots_);
    a.set(row_, reg(logits_));
    a.loop(reg(count_), [&] {
      a.max(maximum_, maximum_, k.vector(reg(row_)), slots_);
      a.add_integer(row_, imm(k.vector_bytes()));
    });
    rescale_sum();
    a.mov(m_, maximum_, slots_);
    a.set(row_, reg(logits_));
    a.set(id_, reg(chunk_));
    a.mul_integer(id_, imm(per_chunk_));
    a.add_integer(id_, reg(k.word(word_vocabulary_first)));
    a.loop(reg(count_), [&] {
      a.sub(scratch_, k.vector(reg(row_)), m_, slots_);
      a.unary(Opcode::exp, scratch_, scratch_, slots_);
      a.add(s_, s_, scratch_, slots_);
      a.select_equal(sel_, targets_, k.vector(reg(row_)), reg(id_), slots_);
      a.add_integer(row_, imm(k.vector_bytes()));
      a.add_integer(id_, imm(1));
    });
  }

  void finish() {
    const auto lane = KernelBuilder::Group::lane;
    const int work = k.arg("work");
    const Operand lse = k.vector(reg(k.arg("lse")));
    k.all_reduce(lane, Opcode::max, reg(work, w_.maximum), slots_);
    rescale_sum();
    k.all_reduce(lane, Opcode::add, reg(work, w_.s), imm(2 * k.slots()));
    a.unary(Opcode::log, scratch_, s_, slots_);
    a.add(lse, maximum_, scratch_, slots_);
    a.sub(scratch_, lse, sel_, slots_);
    a.select_equal(scratch_, targets_, constant(0.0f), imm(no_target), slots_);
    a.fma(memory(Dtype::f32, reg(work, w_.scale), 0, 1), scratch_, constant(1.0f), slots_).from_zero = true;
    k.bind_column_sum();
    k.column_sum(reg(work, w_.scale), imm(1));
  }

  KernelBuilder& k;
  Assembler& a;
  const Work w_;
  const int chunk_outputs_;
  const bool bias_;
  const int per_chunk_, chunks_;
  const Value slots_;
  const Operand m_ = at(w_.m), maximum_ = at(w_.maximum), s_ = at(w_.s), sel_ = at(w_.sel), scratch_ = at(w_.scratch);
  const Operand targets_ = memory(Dtype::u32, reg(k.arg("targets")));
  const int partial_ = k.fresh(), logits_ = k.fresh(), rows_ = k.fresh(), chunk_ = k.fresh(), count_ = k.fresh(), row_ = k.fresh(),
            id_ = k.fresh();  // registers
};

}  // namespace

int emit_loss(KernelBuilder& k, int outputs, int chunk_outputs, bool bias) {
  const auto lane = KernelBuilder::Group::lane;
  const int task = k.begin("loss", {"x", "lse", "targets", "work", "features", "feed"},
                           {KernelBuilder::relay_words(),
                            KernelBuilder::ring_words(lane),
                            KernelBuilder::all_reduce_words(lane),
                            KernelBuilder::column_sum_words(),
                            {word_vocabulary_first, word_vocabulary_last}});
  Loss(k, outputs, chunk_outputs, bias).emit();
  k.end();
  return task;
}

int emit_logit_gradient(KernelBuilder& k, int chunk_outputs, bool bias) {
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
  if (bias) add_biases(k, logits, chunk_outputs);
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
