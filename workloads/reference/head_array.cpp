#include "workloads/reference/head_array.h"

namespace wafersim::workloads::reference {

HeadArray::HeadArray(const Layout& layout, int columns, int places)
    : layout_(layout),
      columns_(columns),
      places_(places),
      heads_(static_cast<std::size_t>(layout.lanes) * layout.samples_per_lane * layout.heads),
      values_(static_cast<std::size_t>(layout.rows_per_sequence) * row_size()) {}

HeadArray::HeadArray(const Layout& layout, int columns, int places, const Tiles& tiles, int first_place)
    : HeadArray(layout, columns, places) {
  each([&](std::size_t at, int lane, int row, int column, int place, int slot) {
    values_[at] = tiles.at(lane, row, column, first_place + place)[slot];
  });
}

void HeadArray::store(Tiles& tiles, int first_place, int first_column) const {
  each([&](std::size_t at, int lane, int row, int column, int place, int slot) {
    tiles.at(lane, row, first_column + column, first_place + place)[slot] = values_[at];
  });
}

template <typename Body>
void HeadArray::each(const Body& body) const {
  std::size_t at = 0;
  for (int r = 0; r < layout_.rows_per_sequence; ++r)
    for (int slot = 0; slot < layout_.tokens_per_pe; ++slot)
      for (int c = 0; c < columns_; ++c)
        for (int place = 0; place < places_; ++place)
          for (int lane = 0; lane < layout_.lanes; ++lane)
            for (int sample = 0; sample < layout_.samples_per_lane; ++sample)
              for (int head = 0; head < layout_.heads; ++head)
                body(at++, lane, sample * layout_.rows_per_sequence + r, head * layout_.columns_per_head + c, place, slot);
}

}  // namespace wafersim::workloads::reference
