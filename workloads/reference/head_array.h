#pragma once
// One part (queries, keys, values or what belongs to them) of all heads of all sequences, [row of the sequence][slot][feature][head]: heads
// do the same side by side, so a row's step of attention is vector operations over heads.

#include <cstddef>
#include <vector>

#include "workloads/reference/tiles.h"

namespace wafersim::workloads::reference {

class HeadArray {
 public:
  // `columns` of each head with `places` features each. All values +0.
  HeadArray(const Layout& layout, int columns, int places);
  // The places first_place.. of the tiles.
  HeadArray(const Layout& layout, int columns, int places, const Tiles& tiles, int first_place);

  // Into the places first_place.. of the tiles, from column first_column of each head on; rows outside any sequence stay.
  void store(Tiles& tiles, int first_place, int first_column = 0) const;

  std::size_t heads() const { return heads_; }  // of all sequences
  std::size_t features() const { return static_cast<std::size_t>(columns_) * static_cast<std::size_t>(places_); }
  std::size_t row_size() const { return static_cast<std::size_t>(layout_.tokens_per_pe) * features() * heads_; }
  // [feature][head] of a slot; the next slot follows.
  float* at(int row, int slot = 0) { return values_.data() + index(row, slot); }
  const float* at(int row, int slot = 0) const { return values_.data() + index(row, slot); }

 private:
  std::size_t index(int row, int slot) const {
    return (static_cast<std::size_t>(row) * static_cast<std::size_t>(layout_.tokens_per_pe) + static_cast<std::size_t>(slot)) * features() *
           heads_;
  }
  // body(place in values(), tile's lane, row, column, place, slot) for every value.
  template <typename Body>
  void each(const Body& body) const;

  Layout layout_;
  int columns_;
  int places_;
  std::size_t heads_;
  std::vector<float> values_;
};

}  // namespace wafersim::workloads::reference
