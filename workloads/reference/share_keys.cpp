#include "workloads/reference/share_keys.h"

#include <algorithm>

#include "workloads/head_map.h"

namespace wafersim::workloads::reference {

namespace {

// body(column that holds the slice, its place in a grouped tile, its place in a tile of a head of the group) for every row of every slice,
// keys first.
template <typename Body>
void each_slice_row(const ModelShape& shape, const Layout& layout, const Body& body) {
  const int rows = head_rows(shape, layout.columns_per_head);
  const KeySlices slices = key_slices(shape, layout);
  for (int column = 0; column < layout.columns; ++column)
    for (int part = 1; part < 3; ++part)
      for (int i = 0; i < slices.rows; ++i)
        if (slices.first_row(column) + i < rows)
          body(column, rows + (part - 1) * slices.rows + i, part * rows + slices.first_row(column) + i);
}

// Columns of the heads of the group that use the slice of `column`, ascending.
std::vector<int> users(const Layout& layout, const KeySlices& slices, int column) {
  std::vector<int> out;
  const int first = column / slices.columns * slices.columns + slices.head_column(column);
  for (int head = 0; head < slices.group; ++head) out.push_back(first + head * layout.columns_per_head);
  return out;
}

void copy_queries(const ModelShape& shape, const Layout& layout, const Tiles& from, Tiles& to) {
  const int rows = head_rows(shape, layout.columns_per_head);
  for (int column = 0; column < layout.columns; ++column)
    std::copy_n(from.feature(column), static_cast<std::size_t>(rows) * from.tokens(), to.feature(column));
}

}  // namespace

Tiles share_keys(const ModelShape& shape, const Layout& layout, const Tiles& grouped) {
  Tiles qkv(layout, 3 * head_rows(shape, layout.columns_per_head));
  const KeySlices slices = key_slices(shape, layout);
  copy_queries(shape, layout, grouped, qkv);
  each_slice_row(shape, layout, [&](int column, int from, int to) {
    for (const int user : users(layout, slices, column))
      std::copy_n(grouped.feature(column, from), grouped.tokens(), qkv.feature(user, to));
  });
  return qkv;
}

Tiles share_keys_gradient(const ModelShape& shape, const Layout& layout, sim::Dtype type, const Tiles& dqkv) {
  const KeySlices slices = key_slices(shape, layout);
  Tiles grouped(layout, head_rows(shape, layout.columns_per_head) + 2 * slices.rows);
  const std::size_t n = dqkv.tokens();
  copy_queries(shape, layout, dqkv, grouped);
  std::vector<float> parts(static_cast<std::size_t>(layout.columns) * n);
  each_slice_row(shape, layout, [&](int column, int to, int from) {
    std::fill(parts.begin(), parts.end(), 0.0f);
    for (const int user : users(layout, slices, column))
      std::copy_n(dqkv.feature(user, from), n, &parts[static_cast<std::size_t>(user) * n]);
    ring_sum(grouped.feature(column, to), parts.data(), layout.columns, column, n);
  });
  round_to(type, grouped);
  return grouped;
}

}  // namespace wafersim::workloads::reference
