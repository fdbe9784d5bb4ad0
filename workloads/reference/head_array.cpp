#include "workloads/reference/head_array.h"

#include <algorithm>

namespace wafersim::workloads::reference {

namespace {

constexpr std::size_t line = 16;  // values of a cache line

}  // namespace

std::vector<HeadRange> head_ranges(const Layout& layout) {
  const std::size_t heads = static_cast<std::size_t>(layout.lanes) * static_cast<std::size_t>(layout.samples_per_lane * layout.heads);
  std::vector<HeadRange> ranges;
  for (std::size_t first = 0; first < heads; first += line) ranges.push_back({first, std::min(line, heads - first)});
  return ranges;
}

HeadArray::HeadArray(const Layout& layout, const HeadRange& range, int columns, int places)
    : layout_(layout),
      range_(range),
      columns_(columns),
      places_(places),
      values_(static_cast<std::size_t>(layout.rows_per_sequence) * row_size()) {}

HeadArray::HeadArray(const Layout& layout, const HeadRange& range, int columns, int places, const Tiles& tiles, int first_place)
    : HeadArray(layout, range, columns, places) {
  each(*this, values_, tiles, first_place, 0, [](float& own, float tile) { own = tile; });
}

void HeadArray::store(Tiles& tiles, int first_place, int first_column) const {
  each(*this, values_, tiles, first_place, first_column, [](float own, float& tile) { tile = own; });
}

template <typename Tensor, typename Values, typename Body>
void HeadArray::each(const HeadArray& array, Values& values, Tensor& tiles, int first_place, int first_column, const Body& body) {
  const Layout& layout = array.layout_;
  const auto heads = static_cast<std::size_t>(layout.heads), samples = static_cast<std::size_t>(layout.samples_per_lane);
  const auto slots = static_cast<std::size_t>(layout.rows_per_sequence) * static_cast<std::size_t>(layout.tokens_per_pe);
  const std::size_t step = array.features() * array.heads();  // from a slot to the next
  std::vector<decltype(tiles.feature(0))> tile(array.heads());
  for (int c = 0; c < array.columns_; ++c)
    for (int place = 0; place < array.places_; ++place) {
      for (std::size_t k = 0; k < array.heads(); ++k) {
        const std::size_t number = array.range_.first + k, sequence = number / heads;
        const int column = static_cast<int>(number % heads) * layout.columns_per_head + first_column + c;
        const int row = static_cast<int>(sequence % samples) * layout.rows_per_sequence;
        tile[k] = tiles.at(static_cast<int>(sequence / samples), row, column, first_place + place);
      }
      const std::size_t feature = static_cast<std::size_t>(c) * static_cast<std::size_t>(array.places_) + static_cast<std::size_t>(place);
      auto* own = &values[feature * array.heads()];
      for (std::size_t first = 0; first < slots; first += line)
        for (std::size_t k = 0; k < array.heads(); ++k)
          for (std::size_t slot = first; slot < std::min(first + line, slots); ++slot) body(own[slot * step + k], tile[k][slot]);
    }
}

}  // namespace wafersim::workloads::reference
