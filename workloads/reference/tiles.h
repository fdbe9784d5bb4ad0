#pragma once
// A tensor in the mapped layout and the sums that cross PEs in their exact order (workloads/NUMERICS.md). Values are fp32; a tensor of
// storage type fp16 holds values that fp16 represents.
// A tensor is a matrix [column][feature place] x [lane][row][slot]: what all PEs of a column do to a place is one vector operation. The
// rows outside any sequence hold the same values and do the same: the first of them is stored and computed for all.

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "sim/dtype.h"
#include "sim/numerics/ordered_product.h"
#include "workloads/layout.h"

namespace wafersim::workloads::reference {

// Rows of a lane that are computed: those of sequences and, if there is one, the first beyond them.
inline int computed_rows(const Layout& layout) { return std::min(layout.rows, layout.samples_per_lane * layout.rows_per_sequence + 1); }

class Tiles {
 public:
  Tiles() = default;
  // All values +0.
  Tiles(const Layout& layout, int places);

  int places() const { return places_; }
  int slots() const { return slots_; }
  // Slots of all lanes and computed rows.
  std::size_t tokens() const { return static_cast<std::size_t>(lanes_) * rows_ * slots_; }
  // The tokens of one feature place of a column: contiguous; the next place follows, then the next column.
  float* feature(int column, int place = 0) { return values_.data() + index(column, place); }
  const float* feature(int column, int place = 0) const { return values_.data() + index(column, place); }
  // The slots of one feature place of a PE: contiguous, slots() of them.
  float* at(int lane, int row, int column, int place = 0) { return feature(column, place) + token(lane, row); }
  const float* at(int lane, int row, int column, int place = 0) const { return feature(column, place) + token(lane, row); }
  std::vector<float>& values() { return values_; }
  const std::vector<float>& values() const { return values_; }

 private:
  std::size_t index(int column, int place) const { return (static_cast<std::size_t>(column) * places_ + place) * tokens(); }
  std::size_t token(int lane, int row) const { return (static_cast<std::size_t>(lane) * rows_ + std::min(row, rows_ - 1)) * slots_; }

  int lanes_ = 0;
  int rows_ = 0;  // computed
  int places_ = 0;
  int slots_ = 0;
  std::vector<float> values_;
};

// Rounds to the storage type: nothing for f32, through fp16 for f16.
void round_to(sim::Dtype type, float* values, std::size_t n);
void round_to(sim::Dtype type, Tiles& tiles);

// Vectors of n values, one a member of a ring, [member][n]; out: the sum that starts at the owner's successor and ends at the owner.
void ring_sum(float* out, const float* parts, int members, int owner, std::size_t n);
// Replaces the tokens of a place at each of the columns first..first+count-1 by their chain sum (maximum) in ascending order.
void all_reduce_sum(Tiles& tiles, int first, int count, int place);
void all_reduce_max(Tiles& tiles, int first, int count, int place);

// The chain down a column of PEs, rows of the first lane, then of the next: groups are computed rows, [lane][row].
std::vector<sim::numerics::GroupRun> column_order(const Layout& layout);
// parts [lane][computed row] of one column: their sum as it leaves the wafer.
float leave_wafer(const Layout& layout, std::span<const float> parts);

}  // namespace wafersim::workloads::reference
