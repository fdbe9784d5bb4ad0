#include "workloads/kernels/wafer_routes.h"

#include <algorithm>
#include <initializer_list>

#include "sim/error.h"
#include "workloads/kernels/colors.h"

namespace wafersim::workloads {
namespace {

using fabric::Color, fabric::Coord, fabric::DirectionMask;
using fabric::east, fabric::mask, fabric::north, fabric::ramp, fabric::south, fabric::west;

class Router {
 public:
  explicit Router(const Layout& layout) : layout_(layout), width_(layout.lanes * layout.columns), routes_(width_, layout.rows) {}

  void rows();
  void columns();
  void weights();
  void gradients();
  void tokens(int token_words);
  void control();
  fabric::RouteMap take() { return std::move(routes_); }

 private:
  // From the core at the first stop straight from stop to stop, and at the last one on to `out`.
  void path(Color color, std::initializer_list<Coord> stops, fabric::Direction out = ramp);
  // From the core at `from` to all cores up to `to` in its row.
  void row_broadcast(Color color, int y, int from, int to);

  const Layout& layout_;
  int width_;
  fabric::RouteMap routes_;
};

fabric::Direction towards(Coord from, Coord to) { return to.x > from.x ? east : to.x < from.x ? west : to.y > from.y ? south : north; }

void Router::path(Color color, std::initializer_list<Coord> stops, fabric::Direction out) {
  DirectionMask in = mask(ramp);
  Coord at = *stops.begin();
  for (const Coord stop : stops)
    while (!(at == stop)) {
      const fabric::Direction d = towards(at, stop);
      routes_.add(at, color, in, mask(d));
      in = mask(fabric::opposite(d));
      at = fabric::neighbour(at, d);
    }
  routes_.add(at, color, in, mask(out));
}

void Router::row_broadcast(Color color, int y, int from, int to) {
  const fabric::Direction d = from < to ? east : west;
  routes_.add({from, y}, color, mask(ramp), mask(d));
  for (Coord c = fabric::neighbour({from, y}, d);; c = fabric::neighbour(c, d)) {
    routes_.add(c, color, mask(fabric::opposite(d)), static_cast<DirectionMask>(mask(ramp) | (c.x == to ? 0 : mask(d))));
    if (c.x == to) return;
  }
}

void Router::rows() {
  const int columns = layout_.columns, head = layout_.columns_per_head;
  for (int y = 0; y < layout_.rows; ++y)
    for (int lane = 0; lane < layout_.lanes; ++lane) {
      const int first = lane * columns, last = first + columns - 1;
      for (int c = 0; c + 1 < columns; ++c) path(c % 2 ? color_x1 : color_x0, {{first + c, y}, {first + c + 1, y}});
      if (columns > 1) {
        path(color_x2, {{last, y}, {first, y}});
        row_broadcast(color_x3, y, last, first);
      }
      for (int c = 0; head > 1 && c < layout_.head_columns(); c += head) {
        path(color_h2, {{first + c + head - 1, y}, {first + c, y}});
        row_broadcast(color_h3, y, first + c + head - 1, first + c);
      }
    }
}

void Router::columns() {
  const int sequence = layout_.rows_per_sequence;
  for (int x = 0; x < width_; ++x) {
    for (int y = 0; y + 1 < layout_.rows; ++y) path(y % 2 ? color_y1 : color_y0, {{x, y}, {x, y + 1}});
    for (int sample = 0; sequence > 1 && sample < layout_.samples_per_lane; ++sample)
      path(color_a2, {{x, (sample + 1) * sequence - 1}, {x, sample * sequence}});
  }
}

void Router::weights() {
  for (int c = 0; c < layout_.columns; ++c) {
    const int row = layout_.feeder_row(c);
    const bool from_west = weight_port(layout_, c).side == memoryx::Port::Side::west;
    const int furthest = from_west ? (layout_.lanes - 1) * layout_.columns + c : c;
    const fabric::Direction on = from_west ? east : west;
    for (int x = from_west ? 0 : width_ - 1;; x += from_west ? 1 : -1) {
      const bool copies = x % layout_.columns == c;
      routes_.add({x, row}, weight_color(c), mask(fabric::opposite(on)),
                  static_cast<DirectionMask>((copies ? mask(ramp) : 0) | (x == furthest ? 0 : mask(on))));
      if (x == furthest) break;
    }
    for (int lane = 0; lane < layout_.lanes; ++lane) {
      const int x = lane * layout_.columns + c;
      for (int y = 0; y < layout_.rows; ++y) {
        const DirectionMask up = y > 0 && y <= row ? mask(north) : 0, down = y + 1 < layout_.rows && y >= row ? mask(south) : 0;
        const DirectionMask in = y == row ? mask(ramp) : y < row ? mask(south) : mask(north);
        routes_.add({x, y}, color_wv, in, static_cast<DirectionMask>(mask(ramp) | up | down));
      }
    }
  }
}

// A sum turns at a row of its own: where rows ascend with the columns, no path to the east crosses another's way north, nor does one to the
// west where they descend.
void Router::gradients() {
  const int last = layout_.rows - 1;
  for (int c = 0; c < layout_.columns; ++c) {
    const int row = layout_.feeder_row(c);
    for (int lane = 0; lane + 1 < layout_.lanes; ++lane) {
      const int x = lane * layout_.columns + c, next = x + layout_.columns;
      path(lane % 2 ? color_z1 : color_z0, {{x, last}, {x, row}, {next, row}, {next, 0}});
    }
    const memoryx::Port port = gradient_port(layout_, c);
    const bool to_west = port.side == memoryx::Port::Side::west;
    const int from = (layout_.lanes - 1) * layout_.columns + c;
    path(gradient_color(c), {{from, last}, {from, port.row}, {to_west ? 0 : width_ - 1, port.row}}, to_west ? west : east);
  }
}

void Router::tokens(int token_words) {
  const std::uint32_t words = static_cast<std::uint32_t>(token_words), slots = static_cast<std::uint32_t>(layout_.tokens_per_pe);
  const std::uint32_t lanes = static_cast<std::uint32_t>(layout_.lanes);
  for (int y = 0; y < layout_.rows; ++y)
    for (int x = 0; x < width_; ++x) {
      const DirectionMask on = static_cast<DirectionMask>(mask(ramp) | (x + 1 < width_ ? mask(east) : 0));
      routes_.add({x, y}, color_e0, mask(west), on);
      routes_.add({x, y}, color_e1, mask(west), on);
      const std::uint32_t column = static_cast<std::uint32_t>(x), lane = column / static_cast<std::uint32_t>(layout_.columns);
      routes_.set_filter({x, y}, color_e0, {words * static_cast<std::uint32_t>(width_), column * words, (column + 1) * words});
      routes_.set_filter({x, y}, color_e1, {slots * lanes, lane * slots, (lane + 1) * slots});
      if (x == 0)
        routes_.set({x, y}, color_g,
                    width_ > 1 ? fabric::Route{{{{mask(ramp), mask(west)}, {mask(east), mask(west)}}}, 2, false}
                               : fabric::route(mask(ramp), mask(west)));
      else
        routes_.set({x, y}, color_g, {{{{mask(ramp), mask(west)}, {mask(east), mask(west)}}}, 2, false});
    }
}

void Router::control() {
  routes_.add({0, 0}, color_f3, mask(west), mask(ramp));
  const fabric::Route pass_row{{{{mask(ramp), mask(west)}, {mask(east), mask(west)}}}, 2, false};
  const fabric::Route pass_column{{{{mask(ramp), mask(north)}, {mask(south), mask(north)}}}, 2, false};
  for (int y = 0; y < layout_.rows; ++y)
    for (int x = 0; x < width_; ++x) {
      const DirectionMask in = x > 0 ? mask(west) : y > 0 ? mask(north) : mask(ramp);
      routes_.add(
          {x, y}, color_f0, in,
          static_cast<DirectionMask>(mask(ramp) | (x + 1 < width_ ? mask(east) : 0) | (x == 0 && y + 1 < layout_.rows ? mask(south) : 0)));
      if (width_ > 1) {
        if (x == 0)
          routes_.add({x, y}, color_f1, mask(east), mask(ramp));
        else
          routes_.set({x, y}, color_f1, pass_row);
      }
      if (x == 0 && layout_.rows > 1) {
        if (y == 0)
          routes_.add({x, y}, color_f2, mask(south), mask(ramp));
        else
          routes_.set({x, y}, color_f2, pass_column);
      }
    }
}

int chain_place(int i, int count) { return count == 1 ? place_alone : i == 0 ? place_first : i + 1 == count ? place_last : place_middle; }

}  // namespace

void require_feeder_rows(const Layout& layout) {
  sim::require_invariant(layout.columns <= layout.rows,
                         "a lane has at most as many columns as rows, so that every column has a feeder row of its own");
}

fabric::RouteMap wafer_routes(const Layout& layout, int token_words) {
  Router router(layout);
  router.rows();
  router.columns();
  router.weights();
  if (layout.columns <= layout.rows) router.gradients();
  router.tokens(token_words);
  router.control();
  return router.take();
}

memoryx::Port weight_port(const Layout& layout, int column) {
  return {column % 2 ? memoryx::Port::Side::east : memoryx::Port::Side::west, static_cast<std::uint16_t>(layout.feeder_row(column))};
}

fabric::Color weight_color(int column) { return column % 2 ? color_wh_east : color_wh_west; }

memoryx::Port gradient_port(const Layout& layout, int column) {
  return {column % 2 ? memoryx::Port::Side::west : memoryx::Port::Side::east, static_cast<std::uint16_t>(layout.gradient_row(column))};
}

fabric::Color gradient_color(int column) { return column % 2 ? color_z3 : color_z2; }

std::vector<std::int32_t> pe_words(const Layout& layout, const FeatureMap& residual, int outputs, int chunk_outputs, int further) {
  const int words_per_pe = pe_word_count + further;
  const int columns = layout.columns, head = layout.columns_per_head, rows = layout.rows, width = layout.lanes * columns;
  const auto mod = [](int a, int n) { return (a % n + n) % n; };
  const auto ring_out = [](int i, int count, int even, int odd, int wrap) { return i + 1 == count ? wrap : i % 2 ? odd : even; };
  const int last_chunk = (outputs - 1) / (columns * chunk_outputs);
  std::vector<std::int32_t> words(static_cast<std::size_t>(width) * static_cast<std::size_t>(rows) *
                                  static_cast<std::size_t>(words_per_pe));
  for (int y = 0; y < rows; ++y)
    for (int x = 0; x < width; ++x) {
      std::int32_t* w = &words[(static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)) *
                               static_cast<std::size_t>(words_per_pe)];
      const int c = x % columns, lane = x / columns, k = c % head;
      w[word_column] = c;
      w[word_column_before] = mod(c - 1, columns);
      w[word_column_after] = mod(c + 1, columns);
      w[word_row_out] = ring_out(c, columns, color_x0, color_x1, color_x2);
      w[word_row_in] = c == 0 ? color_x2 : ring_out(c - 1, columns, color_x0, color_x1, color_x2);
      w[word_row_place] = chain_place(c, columns);
      w[word_head_column] = k;
      w[word_head_before] = mod(k - 1, head);
      w[word_head_after] = mod(k + 1, head);
      // A head's ring uses the lane's colors between its columns and a wrap of its own.
      w[word_head_out] = k + 1 == head ? color_h2 : c % 2 ? color_x1 : color_x0;
      w[word_head_in] = k == 0 ? color_h2 : (c - 1) % 2 ? color_x1 : color_x0;
      w[word_head_place] = chain_place(k, head);
      w[word_feeder] = y == layout.feeder_row(c) ? weight_color(c) : -1;
      const int sums_out = lane + 1 == layout.lanes ? int{gradient_color(c)} : lane % 2 ? color_z1 : color_z0;
      w[word_column_out] = ring_out(y, rows, color_y0, color_y1, sums_out);
      if (y > 0)
        w[word_column_in] = (y - 1) % 2 ? color_y1 : color_y0;
      else
        w[word_column_in] = lane == 0 ? -1 : (lane - 1) % 2 ? color_z1 : color_z0;
      const bool attends = layout.row_in_sequence(y) && c < layout.head_columns();
      const int r = attends ? y % layout.rows_per_sequence : -1, last = layout.rows_per_sequence - 1;
      w[word_sequence_row] = r;
      w[word_sequence_out] = r == last ? color_a2 : y % 2 ? color_y1 : color_y0;
      w[word_sequence_in] = r <= 0 ? color_a2 : (y - 1) % 2 ? color_y1 : color_y0;
      w[word_residual_features] = residual.valid(c);
      w[word_vocabulary_first] = c * chunk_outputs;
      w[word_vocabulary_last] = std::clamp(outputs - (last_chunk * columns + c) * chunk_outputs, 0, chunk_outputs);
      w[word_x] = x;
      w[word_y] = y;
    }
  return words;
}

}  // namespace wafersim::workloads
