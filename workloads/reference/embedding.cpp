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

Tiles embedding(const Layout& layout, sim::Dtype type, const FeatureMap& map, int width, const EmbeddingRows<const float>& rows,
                const std::vector<std::uint32_t>& tokens) {
  Tiles x(layout, map.per_column);
  each_value(layout, map, x, [&](float& value, int feature, int index) {
    value = rows.token[element(tokens[static_cast<std::size_t>(index)], width, feature)];
  });
  const auto add = [&](const float* row_0, int row_width) {
    if (row_0 == nullptr) return;
    each_value(layout, map, x, [&](float& value, int feature, int index) {
      value = numerics::add(value, row_0[element(static_cast<std::uint32_t>(index % layout.sequence), row_width, feature)]);
    });
    round_to(type, x);
  };
  add(rows.position, width);
  add(rows.type, 0);
  return x;
}

void embedding_gradient(const Layout& layout, const FeatureMap& map, int width, const Tiles& dx, const std::vector<std::uint32_t>& tokens,
                        const EmbeddingRows<float>& gradients) {
  each_value(layout, map, dx, [&](float value, int feature, int index) {
    const auto add_to = [&](float& sum) { sum = numerics::add(sum, value); };
    add_to(gradients.token[element(tokens[static_cast<std::size_t>(index)], width, feature)]);
    if (gradients.position != nullptr)
      add_to(gradients.position[element(static_cast<std::uint32_t>(index % layout.sequence), width, feature)]);
    if (gradients.type != nullptr) add_to(gradients.type[feature]);
  });
}

}  // namespace wafersim::workloads::reference
