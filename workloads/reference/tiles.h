#pragma once
// A tensor in the mapped layout, [lane][row][column][feature place][slot], and the sums that cross PEs in their exact order
// (workloads/NUMERICS.md). Values are fp32; a tensor of storage type fp16 holds values that fp16 represents.

#include <cstddef>
#include <vector>

#include "sim/dtype.h"
#include "workloads/layout.h"

namespace wafersim::workloads::reference {

class Tiles {
 public:
  Tiles() = default;
  // All values +0.
  Tiles(const Layout& layout, int places);

  int places() const { return places_; }
  int slots() const { return slots_; }
  std::size_t tile_size() const { return static_cast<std::size_t>(places_) * static_cast<std::size_t>(slots_); }
  // The slots of one feature place of a PE: contiguous, slots() of them; the next place follows.
  float* at(int lane, int row, int column, int place = 0) { return values_.data() + index(lane, row, column, place); }
  const float* at(int lane, int row, int column, int place = 0) const { return values_.data() + index(lane, row, column, place); }
  std::vector<float>& values() { return values_; }
  const std::vector<float>& values() const { return values_; }

 private:
  std::size_t index(int lane, int row, int column, int place) const {
    return (((static_cast<std::size_t>(lane) * rows_ + row) * columns_ + column) * places_ + place) * slots_;
  }

  int rows_ = 0;
  int columns_ = 0;
  int places_ = 0;
  int slots_ = 0;
  std::vector<float> values_;
};

// Rounds to the storage type: nothing for f32, through fp16 for f16.
void round_to(sim::Dtype type, float* values, std::size_t n);
void round_to(sim::Dtype type, Tiles& tiles);

// Vectors of n values, one a member of a ring, [member][n]; out: the sum that starts at the owner's successor and ends at the owner.
void ring_sum(float* out, const float* parts, int members, int owner, std::size_t n);
// Replaces the n values at each of the columns first..first+count-1 of a row by their chain sum (maximum) in ascending order.
// `place` of every tile holds the vector.
void all_reduce_sum(Tiles& tiles, int lane, int row, int first, int count, int place);
void all_reduce_max(Tiles& tiles, int lane, int row, int first, int count, int place);

// parts [lane][row][n] of one column: their column sum, one chain down the rows of the first lane, then of the next.
std::vector<float> leave_wafer(const std::vector<float>& parts, std::size_t n);

}  // namespace wafersim::workloads::reference
