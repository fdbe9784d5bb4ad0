#include "workloads/reference/rotary.h"

#include "sim/numerics/elementary.h"
#include "workloads/head_map.h"

namespace wafersim::workloads::reference {

namespace numerics = sim::numerics;

namespace {

// The places a and b of all slots, turned by the angle of each slot's position; `back` turns the other way.
void turn(float* a, float* b, int slots, int row_in_sequence, int rows_per_sequence, float frequency, bool back) {
  for (int n = 0; n < slots; ++n) {
    const float position = numerics::add(static_cast<float>(n * rows_per_sequence), static_cast<float>(row_in_sequence));
    const float angle = numerics::mul(position, frequency);
    const float cos = numerics::cos(angle), sin = back ? -numerics::sin(angle) : numerics::sin(angle);
    const float turned = numerics::sub(numerics::mul(a[n], cos), numerics::mul(b[n], sin));
    b[n] = numerics::add(numerics::mul(b[n], cos), numerics::mul(a[n], sin));
    a[n] = turned;
  }
}

Tiles turn_all(const ModelShape& shape, const Layout& layout, sim::Dtype type, const Tiles& qkv, bool back) {
  const HeadMap head = head_map(shape, layout.columns_per_head);
  const std::vector<float> frequency = rotary_frequencies(shape);
  Tiles out = qkv;
  for (int lane = 0; lane < layout.lanes; ++lane)
    for (int row = 0; row < computed_rows(layout); ++row)
      for (int c = 0; c < layout.columns; ++c) {
        const int r = layout.row_in_sequence(row) && c < layout.head_columns() ? row % layout.rows_per_sequence : -1, k = c % head.columns;
        for (int pair = 0; pair < head.pairs_of(k); ++pair)
          for (const int first : {0, head.rows}) {  // of queries, of keys
            const int place = first + 2 * pair;
            turn(out.at(lane, row, c, place), out.at(lane, row, c, place + 1), out.slots(), r, layout.rows_per_sequence,
                 frequency[static_cast<std::size_t>(k * head.pairs_per_column + pair)], back);
          }
      }
  round_to(type, out);
  return out;
}

}  // namespace

Tiles rotary(const ModelShape& shape, const Layout& layout, sim::Dtype type, const Tiles& qkv) {
  return turn_all(shape, layout, type, qkv, false);
}

Tiles rotary_gradient(const ModelShape& shape, const Layout& layout, sim::Dtype type, const Tiles& dqkv) {
  return turn_all(shape, layout, type, dqkv, true);
}

}  // namespace wafersim::workloads::reference
