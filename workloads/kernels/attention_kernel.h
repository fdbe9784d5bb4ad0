#pragma once
// What attention and its gradient share. Tokens are striped over rows, so that under a causal mask key k of a block of tokens is seen by
// the queries k, ..., t - 1 of a block, else by all t; padded keys are masked. Key k belongs to column k mod Ch of its head, which computes
// its softmax. Queries, keys and values of a tile are three parts of head_rows rows each.

#include <cfloat>
#include <cmath>
#include <initializer_list>
#include <utility>
#include <vector>

#include "workloads/kernels/kernels.h"

namespace wafersim::workloads {

// Most keys of a block that one column owns.
inline int own_keys(const KernelBuilder& k) { return ceil_divide(k.slots(), k.layout().columns_per_head); }

// Registers, sizes and patterns of an open attention kernel, whose arguments include qkv and work.
class AttentionKernel {
 public:
  // Words that the patterns need of the PE's table.
  static std::vector<KernelBuilder::Words> words() {
    const auto head = KernelBuilder::Group::head;
    return {KernelBuilder::ring_words(head),
            KernelBuilder::relay_ring_words(head),
            KernelBuilder::all_reduce_words(head),
            {word_sequence_row, word_sequence_in, word_sequence_out}};
  }

 protected:
  // Registers that advance by bytes with every key.
  using Steps = std::vector<std::pair<int, int>>;
  // Queries times a key: offsets, in bytes, from the registers q, key and score.
  struct Product {
    int query, key, score;
  };
  // A vector that a key's owner relays: its offset from the register of the owner's rows, and where others keep it in the work area.
  struct Relayed {
    int own, received;
  };

  AttentionKernel(KernelBuilder& builder, const AttentionShape& shape)
      : k(builder),
        a(builder.a),
        rows_per_sequence(k.layout().rows_per_sequence),
        columns(k.layout().columns_per_head),
        element(sim::bytes_of(k.type())),
        row_bytes(k.tile_row_bytes()),
        vector_bytes(k.vector_bytes()),
        head_rows(shape.rows),
        part(shape.rows * row_bytes),
        causal(shape.causal),
        next_query(causal ? element : 0),
        next_value(causal ? 4 : 0),
        alone(k.alone(head)),
        scale(1.0f / std::sqrt(static_cast<float>(shape.features))),
        slots(models::imm(k.slots())),
        rows(models::imm(shape.rows)),
        qkv(k.arg("qkv")),
        work(k.arg("work")),
        r(k.word(word_sequence_row)),
        self(k.word(word_head_column)),
        step(k.fresh()),
        block(k.fresh()),
        next(k.fresh()),
        owner(k.fresh()),
        left(k.fresh()),
        keys_left(causal ? left : k.fresh()),
        padding(causal ? left : k.fresh()),
        q(k.fresh()),
        key(k.fresh()),
        score(k.fresh()),
        other(k.fresh()) {}

  models::Operand tile(int base, int offset = 0) const { return k.tile(models::reg(base, offset)); }
  models::Operand tile32(int base, int offset = 0) const { return k.tile32(models::reg(base, offset)); }
  models::Operand vector(int base, int offset = 0) const { return k.vector(models::reg(base, offset)); }
  models::Operand row(int base, int offset = 0) const { return k.row(models::reg(base, offset)); }
  // A feature of the key at hand, for all queries.
  models::Operand key_value(int offset = 0) const { return models::memory_scalar(k.type(), models::reg(key, offset), k.pitch()); }

  // The ring of a sequence's rows on in_column and out_column.
  void bind_sequence_ring() {
    if (rows_per_sequence == 1) return;
    a.bind_input(in_column, models::reg(k.word(word_sequence_in)));
    a.bind_output(out_column, models::reg(k.word(word_sequence_out)));
  }

  // body for every key of a block; `owner` and `left` (queries that see the key) are kept.
  template <class Body>
  void each_key(const Steps& steps, Body&& body);
  // body for this column's own keys; `left` as above, `keys_left`: keys from this one to the end of the block.
  template <class Body>
  void each_own_key(const Steps& steps, Body&& body);
  void advance(const Steps& steps) {
    for (const auto& [address, bytes] : steps)
      if (bytes != 0) a.add_integer(address, models::imm(bytes));
  }
  // Without a causal mask: padding = how many keys of a block from row `row` of a sequence are padded.
  void count_padding(int row) {
    const Layout& layout = k.layout();
    const int longer_rows = layout.sequence % rows_per_sequence;
    a.set(padding, models::imm(k.slots() - layout.true_slots(0)));
    if (longer_rows == 0) return;
    const auto longer = a.label();
    a.branch_less(row, models::imm(longer_rows), longer);
    a.add_integer(padding, models::imm(1));
    a.bind(longer);
  }
  // The scores of the own key at hand, if it is padded. In each_own_key.
  void mask_padded_key(const models::Operand& scores) {
    const auto visible = a.label();
    a.branch_less(padding, models::reg(keys_left), visible);
    a.mov(scores, models::constant(-FLT_MAX), slots);
    a.bind(visible);
  }
  // address = base + offset of this column's first key, whose number is the column's; `bytes` from key to key.
  void start_at_own_key(int address, int bytes, int base, int offset) {
    if (bytes == 0) return a.set(address, models::reg(base, offset));
    a.set(address, models::reg(self));
    a.mul_integer(address, models::imm(bytes));
    a.add_integer(address, models::reg(base, offset));
  }
  // For every key of a block: each product's row sum over the head, into the owner's row of scores; then, at the owner, kept().
  template <class Kept>
  void sum_scores(const std::vector<Product>& products, int partial_offset, Kept&& kept);
  // For every key of a block: the owner's vectors, rows from register own_rows on, reach all columns of the head; use(them) in each.
  template <class Use>
  void relay(int own_rows, const std::vector<Relayed>& vectors, const Steps& steps, Use&& use);

  static constexpr auto head = KernelBuilder::Group::head;
  KernelBuilder& k;
  models::Assembler& a;
  const int rows_per_sequence, columns, element, row_bytes, vector_bytes, head_rows;
  const int part;  // bytes of queries, keys or values in a tile
  const bool causal;
  const int next_query, next_value;  // bytes from a key's first query to the next key's: of a tile, of a vector
  const bool alone;
  const float scale;
  const models::Value slots, rows;
  const int qkv, work, r, self;  // registers, as all below; r: row in the sequence, self: column in the head
  const int step, block, next, owner, left, keys_left, padding, q, key, score, other;
};

template <class Body>
void AttentionKernel::each_key(const Steps& steps, Body&& body) {
  using models::imm;
  a.set(owner, imm(0));
  a.set(left, slots);
  a.loop(slots, [&] {
    body();
    advance(steps);
    if (causal) a.sub_integer(left, imm(1));
    if (columns == 1) return;
    const auto same = a.label();
    a.add_integer(owner, imm(1));
    a.branch_less(owner, imm(columns), same);
    a.set(owner, imm(0));
    a.bind(same);
  });
}

template <class Body>
void AttentionKernel::each_own_key(const Steps& steps, Body&& body) {
  using models::imm;
  const auto again = a.label(), done = a.label();
  if (!causal) a.set(left, slots);
  a.set(keys_left, slots);
  a.sub_integer(keys_left, models::reg(self));
  a.bind(again);
  a.branch_less(keys_left, imm(1), done);
  body();
  advance(steps);
  a.sub_integer(keys_left, imm(columns));
  a.jump(again);
  a.bind(done);
}

template <class Kept>
void AttentionKernel::sum_scores(const std::vector<Product>& products, int partial_offset, Kept&& kept) {
  using models::Operand, models::reg;
  const Operand in = models::input(sim::Dtype::f32, in_row), out = models::output(sim::Dtype::f32, out_row);
  const Operand partial = vector(work, partial_offset);
  const auto multiply = [&](const Operand& sum, const Product& p) {
    models::Instruction& i = a.fma(sum, tile(q, p.query), key_value(p.key), reg(left), rows);
    i.from_zero = true;
    i.new_output = true;
  };
  each_key({{q, next_query}, {key, element}, {score, next_value}}, [&] {
    k.with_role(
        head, owner,
        [&] {
          for (const Product& p : products) {
            multiply(partial, p);
            a.mov(out, partial, reg(left));
          }
        },
        [&] {
          for (const Product& p : products) {
            multiply(partial, p);
            a.add(out, partial, in, reg(left));
          }
        },
        [&] {
          for (const Product& p : products) {
            const Operand sum = vector(score, p.score);
            multiply(alone ? sum : partial, p);
            if (!alone) a.add(sum, partial, in, reg(left));
          }
          kept();
          a.add_integer(score, models::imm(vector_bytes));
        });
  });
}

template <class Use>
void AttentionKernel::relay(int own_rows, const std::vector<Relayed>& vectors, const Steps& steps, Use&& use) {
  using models::Operand, models::reg;
  const Operand in = models::input(k.type(), in_row), out = models::output(k.type(), out_row);
  std::vector<Operand> own, received;
  for (const Relayed& v : vectors) {
    own.push_back(row(own_rows, v.own));
    received.push_back(row(work, v.received));
  }
  each_key(steps, [&] {
    k.with_relay(
        head, owner,
        [&] {
          for (const Operand& v : own)
            if (!alone) a.mov(out, v, reg(left));
          use(own);
          a.add_integer(own_rows, models::imm(row_bytes));
        },
        [&](bool forwards) {
          for (const Operand& v : received) {
            a.mov(v, in, reg(left));
            if (forwards) a.mov(out, v, reg(left));
          }
          use(received);
        });
  });
}

}  // namespace wafersim::workloads
