#pragma once
// One part (queries, keys, values or what belongs to them) of a few heads, [row of the sequence][slot][feature][head]: heads do the same
// side by side, so a row's step of attention is vector operations over heads, and few heads at a time stay in the nearer caches.

#include <cstddef>
#include <vector>

#include "sim/aligned_vector.h"
#include "workloads/reference/tiles.h"

namespace wafersim::workloads::reference {

// Heads first, ..., first + count - 1 of those of all sequences, [lane][sample][head].
struct HeadRange {
  std::size_t first = 0;
  std::size_t count = 0;
};
// All heads of all sequences, in ranges of a cache line's values.
std::vector<HeadRange> head_ranges(const Layout& layout);

class HeadArray {
 public:
  // `columns` of each head with `places` features each. All values +0.
  HeadArray(const Layout& layout, const HeadRange& range, int columns, int places);
  // The places first_place.. of the tiles.
  HeadArray(const Layout& layout, const HeadRange& range, int columns, int places, const Tiles& tiles, int first_place);

  // Into the places first_place.. of the tiles, from column first_column of each head on; rows outside any sequence stay.
  void store(Tiles& tiles, int first_place, int first_column = 0) const;

  std::size_t heads() const { return range_.count; }
  std::size_t features() const { return static_cast<std::size_t>(columns_) * static_cast<std::size_t>(places_); }
  std::size_t row_size() const { return static_cast<std::size_t>(layout_.tokens_per_pe) * features() * heads(); }
  // [feature][head] of a slot; the next slot follows.
  float* at(int row, int slot = 0) { return values_.data() + index(row, slot); }
  const float* at(int row, int slot = 0) const { return values_.data() + index(row, slot); }

 private:
  std::size_t index(int row, int slot) const {
    return (static_cast<std::size_t>(row) * static_cast<std::size_t>(layout_.tokens_per_pe) + static_cast<std::size_t>(slot)) * features() *
           heads();
  }
  // body(value in values(), value of the tiles) for every value; from first_column of each head and first_place on.
  template <typename Tensor, typename Values, typename Body>
  static void each(const HeadArray& array, Values& values, Tensor& tiles, int first_place, int first_column, const Body& body);

  Layout layout_;
  HeadRange range_;
  int columns_;
  int places_;
  sim::AlignedVector<float> values_;
};

}  // namespace wafersim::workloads::reference
