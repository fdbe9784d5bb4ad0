#include "workloads/closed_form_attention.h"

namespace wafersim::workloads {
namespace {

// Integer instructions of an iteration: advancing addresses, counting queries and owners, finding the role.
constexpr int scalars_a_key = 9, scalars_an_own_key = 6, scalars_a_block = 16;

// cost(queries) over the keys of a block, or over those of the column that owns the first.
class Keys {
 public:
  Keys(int t, bool causal) : t_(t), causal_(causal) {}
  template <class Cost>
  double over_all(Cost&& cost) const {
    return over_own(1, cost);
  }
  template <class Cost>
  double over_own(int columns, Cost&& cost) const {
    double sum = 0;
    for (int left = t_; left > 0; left -= columns) sum += cost(causal_ ? left : t_);
    return sum;
  }

 private:
  int t_;
  bool causal_;
};

}  // namespace

double attention_cycles(const InstructionCycles& at, const Layout& layout, int head_rows, bool causal) {
  const int t = layout.tokens_per_pe, columns = layout.columns_per_head, blocks = layout.rows_per_sequence;
  const bool alone = columns == 1;
  const Keys keys(t, causal);
  const int exp = at.functions().exp;
  const double ring = 2 * at.chain_hop() * (columns - 1);
  const double scores = ring + keys.over_all([&](int n) {
    const double owner = (at.multiply(n) + at.scalars(3)) / columns;
    return at.fma_rows(head_rows, n) + at.output_switch() + (alone ? 0 : at.stream(n)) + owner + at.scalars(scalars_a_key);
  });
  const double maxima = at.move(t) + keys.over_own(columns, [&](int n) { return at.maximum(n) + at.scalars(scalars_an_own_key); }) +
                        at.all_reduce(t, columns);
  const double rescale = at.add(t) + at.function(t, exp) + at.multiply(t) + at.multiply_rows(head_rows, t) + at.move(t);
  const double softmax = keys.over_own(
      columns, [&](int n) { return 2 * at.add(n) + at.function(n, exp) + at.convert(n) + at.scalars(scalars_an_own_key + 1); });
  const double values = ring + keys.over_all([&](int n) {
    return at.fma_rows(head_rows, n) + (alone ? 0 : 2 * at.stream_tile_row(n)) + at.scalars(scalars_a_key);
  });
  const double travel = 2.0 * 2 * head_rows * at.tile_words(t);
  const double result = at.all_reduce(t, columns) + at.function(t, at.functions().recip) + at.multiply_rows(head_rows, t) +
                        at.convert_tiles(head_rows, t) + at.function(t, at.functions().log) + at.add(t);
  const double block = scores + maxima + rescale + softmax + values + at.scalars(scalars_a_block);
  return 4 * at.move(t) + at.clear_tiles(head_rows, t) + blocks * block + (blocks - 1) * travel + result;
}

double attention_gradient_cycles(const InstructionCycles& at, const Layout& layout, int head_rows, bool causal) {
  const int t = layout.tokens_per_pe, columns = layout.columns_per_head, blocks = layout.rows_per_sequence;
  const bool alone = columns == 1;
  const Keys keys(t, causal);
  const double ring = 2 * at.chain_hop() * (columns - 1);
  const double scores = ring + keys.over_all([&](int n) {
    return 2 * (at.fma_rows(head_rows, n) + at.output_switch() + (alone ? 0 : at.stream(n))) + at.scalars(scalars_a_key);
  });
  const double softmax = keys.over_own(columns, [&](int n) {
    return 2 * at.add(n) + 3 * at.multiply(n) + at.function(n, at.functions().exp) + 2 * at.convert(n) + at.scalars(scalars_an_own_key + 2);
  });
  const double gradients = ring + keys.over_all([&](int n) {
    const double relay = alone ? 0 : 4 * at.stream_tile_row(n);
    return 2 * at.fma_rows(head_rows, n, false) + at.fma_rows(head_rows, n) + relay + at.scalars(scalars_a_key + 2);
  });
  const double words = 2.0 * head_rows * at.tile_words(t) + 2.0 * t + static_cast<double>(head_rows) * t;
  const double travel = blocks == 1 ? 0 : 2 * words + at.chain_hop() + at.scalars(scalars_a_block);
  const double first = at.clear_tiles(2 * head_rows, t) + 2 * at.convert_tiles(head_rows, t) + 2 * at.move(t) + at.fma_rows(head_rows, t) +
                       at.all_reduce(t, columns) + 3 * at.add_rows(head_rows, t);
  const double result = (at.half() ? 3 : 1) * at.convert_tiles(head_rows, t) + (at.half() ? at.clear_tiles(head_rows, t) : 0);
  return first + blocks * (scores + softmax + gradients + travel) + result;
}

}  // namespace wafersim::workloads
