#include "workloads/reference/tiles.h"

#include <bit>
#include <cstdint>

#include "sim/numerics/storage.h"

namespace wafersim::workloads::reference {

namespace numerics = sim::numerics;

Tiles::Tiles(const Layout& layout, int places)
    : lanes_(layout.lanes),
      rows_(computed_rows(layout)),
      places_(places),
      slots_(layout.tokens_per_pe),
      values_(static_cast<std::size_t>(layout.columns) * places * tokens()) {}

void round_to(sim::Dtype type, float* values, std::size_t n) {
  if (type == sim::Dtype::f32) return;
  std::vector<std::uint16_t> half(n);
  numerics::to_16_bits(type, half.data(), values, n);
  numerics::from_16_bits(type, values, half.data(), n);
}

void round_to(sim::Dtype type, Tiles& tiles) { round_to(type, tiles.values().data(), tiles.values().size()); }

void ring_sum(float* out, const float* parts, int members, int owner, std::size_t n) {
  const auto part = [&](int step) { return parts + static_cast<std::size_t>((owner + step) % members) * n; };
  std::copy_n(part(1), n, out);
  for (int step = 2; step <= members; ++step) numerics::add(out, part(step), out, n);
}

namespace {

using Combine = void (*)(float*, const float*, const float*, std::size_t);

void all_reduce(Tiles& tiles, int first, int count, int place, Combine combine) {
  const std::size_t n = tiles.tokens();
  std::vector<float> chain(tiles.feature(first, place), tiles.feature(first, place) + n);
  for (int c = first + 1; c < first + count; ++c) combine(chain.data(), tiles.feature(c, place), chain.data(), n);
  for (int c = first; c < first + count; ++c) std::copy_n(chain.data(), n, tiles.feature(c, place));
}

}  // namespace

void all_reduce_sum(Tiles& tiles, int first, int count, int place) { all_reduce(tiles, first, count, place, numerics::add); }

void all_reduce_max(Tiles& tiles, int first, int count, int place) { all_reduce(tiles, first, count, place, numerics::max); }

std::vector<numerics::GroupRun> column_order(const Layout& layout) {
  const auto rows = static_cast<std::size_t>(computed_rows(layout)), all = static_cast<std::size_t>(layout.rows);
  if (rows == all) return {{0, rows * static_cast<std::size_t>(layout.lanes), 1}};
  std::vector<numerics::GroupRun> runs;
  for (std::size_t lane = 0; lane < static_cast<std::size_t>(layout.lanes); ++lane) {
    runs.push_back({lane * rows, rows, 1});
    runs.push_back({lane * rows + rows - 1, 1, all - rows});
  }
  return runs;
}

float leave_wafer(const Layout& layout, std::span<const float> parts) {
  float sum = -0.0f;  // -0 + p is p
  for (const numerics::GroupRun& run : column_order(layout))
    for (std::size_t time = 0; time < run.times; ++time) {
      const float before = sum;
      for (std::size_t part = run.first; part < run.first + run.count; ++part) sum = numerics::add(parts[part], sum);
      if (std::bit_cast<std::uint32_t>(sum) == std::bit_cast<std::uint32_t>(before)) break;
    }
  return sum;
}

}  // namespace wafersim::workloads::reference
