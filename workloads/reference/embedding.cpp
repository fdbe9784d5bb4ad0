#include "workloads/reference/embedding.h"

#include "sim/numerics/elementary.h"

namespace wafersim::workloads::reference {

namespace numerics = sim::numerics;

namespace {

// body(value of the tile, feature, sample * sequence + position) for every true place of every token, tokens ascending.
template <typename Tensor, typename Body>
void each_value(const Layout& layout, const FeatureMap& map, Tensor& tiles, const Body& body) {
  for (int sample = 0; sample < layout.batch; ++sample)
    for (int position = 0; position < layout.sequence; ++position) {
      const int lane = sample / layout.samples_per_lane;
      const int row = sample % layout.samples_per_lane * layout.rows_per_sequence + position % layout.rows_per_sequence;
      const int slot = position / layout.rows_per_sequence;
      for (int column = 0; column < layout.columns; ++column)
        for (int place = 0; place < map.per_column; ++place)
          if (const int feature = map.at(column, place); feature >= 0)
            body(tiles.at(lane, row, column, place)[slot], feature, sample * layout.sequence + position);
    }
}

std::size_t element(std::uint32_t row, int width, int feature) {
  return static_cast<std::size_t>(row) * static_cast<std::size_t>(width) + static_cast<std::size_t>(feature);
}

}  // namespace

Tiles embedding(const Layout& layout, sim::Dtype type, const FeatureMap& map, int width, const float* token_rows,
                const float* position_rows, const std::vector<std::uint32_t>& tokens) {
  Tiles x(layout, map.per_column);
  each_value(layout, map, x, [&](float& value, int feature, int index) {
    value = token_rows[element(tokens[static_cast<std::size_t>(index)], width, feature)];
    if (position_rows != nullptr)
      value = numerics::add(value, position_rows[element(static_cast<std::uint32_t>(index % layout.sequence), width, feature)]);
  });
  round_to(type, x);
  return x;
}

void embedding_gradient(const Layout& layout, const FeatureMap& map, int width, const Tiles& dx, const std::vector<std::uint32_t>& tokens,
                        float* token_gradient, float* position_gradient) {
  each_value(layout, map, dx, [&](float value, int feature, int index) {
    float& token = token_gradient[element(tokens[static_cast<std::size_t>(index)], width, feature)];
    token = numerics::add(token, value);
    if (position_gradient == nullptr) return;
    float& position = position_gradient[element(static_cast<std::uint32_t>(index % layout.sequence), width, feature)];
    position = numerics::add(position, value);
  });
}

}  // namespace wafersim::workloads::reference
