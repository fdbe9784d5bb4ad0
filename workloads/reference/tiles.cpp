#include "workloads/reference/tiles.h"

#include <algorithm>
#include <cstdint>

#include "sim/numerics/vector_ops.h"

namespace wafersim::workloads::reference {

namespace numerics = sim::numerics;

Tiles::Tiles(const Layout& layout, int places)
    : rows_(layout.rows),
      columns_(layout.columns),
      places_(places),
      slots_(layout.tokens_per_pe),
      values_(static_cast<std::size_t>(layout.lanes) * layout.rows * layout.columns * places * layout.tokens_per_pe) {}

void round_to(sim::Dtype type, float* values, std::size_t n) {
  if (type == sim::Dtype::f32) return;
  std::vector<std::uint16_t> half(n);
  numerics::to_half(half.data(), values, n);
  numerics::from_half(values, half.data(), n);
}

void round_to(sim::Dtype type, Tiles& tiles) { round_to(type, tiles.values().data(), tiles.values().size()); }

void ring_sum(float* out, const float* parts, int members, int owner, std::size_t n) {
  const auto part = [&](int step) { return parts + static_cast<std::size_t>((owner + step) % members) * n; };
  std::copy_n(part(1), n, out);
  for (int step = 2; step <= members; ++step) numerics::add(out, part(step), out, n);
}

namespace {

using Combine = void (*)(float*, const float*, const float*, std::size_t);

void all_reduce(Tiles& tiles, int lane, int row, int first, int count, int place, Combine combine) {
  const auto n = static_cast<std::size_t>(tiles.slots());
  std::vector<float> chain(tiles.at(lane, row, first, place), tiles.at(lane, row, first, place) + n);
  for (int c = first + 1; c < first + count; ++c) combine(chain.data(), tiles.at(lane, row, c, place), chain.data(), n);
  for (int c = first; c < first + count; ++c) std::copy_n(chain.data(), n, tiles.at(lane, row, c, place));
}

}  // namespace

void all_reduce_sum(Tiles& tiles, int lane, int row, int first, int count, int place) {
  all_reduce(tiles, lane, row, first, count, place, numerics::add);
}

void all_reduce_max(Tiles& tiles, int lane, int row, int first, int count, int place) {
  all_reduce(tiles, lane, row, first, count, place, numerics::max);
}

std::vector<float> leave_wafer(const std::vector<float>& parts, std::size_t n) {
  std::vector<float> sum(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(n));
  for (std::size_t part = n; part < parts.size(); part += n) numerics::add(sum.data(), parts.data() + part, sum.data(), n);
  return sum;
}

}  // namespace wafersim::workloads::reference
