#include "models/mesh_driver.h"

#include <algorithm>

#include "sim/error.h"

namespace wafersim::models {

using memoryx::Port;

std::vector<fabric::Rectangle> cut_mesh(int width, int height, int block_width, int block_height) {
  std::vector<fabric::Rectangle> blocks;
  for (int y = 0; y < height; y += block_height)
    for (int x = 0; x < width; x += block_width)
      blocks.push_back({x, y, std::min(block_width, width - x), std::min(block_height, height - y)});
  return blocks;
}

MeshDriver::MeshDriver(int width, int height, std::vector<Block> blocks, EdgePorts* edges, int threads)
    : width_(width), height_(height), blocks_(std::move(blocks)), edges_(edges) {
  while (columns_ < static_cast<int>(blocks_.size()) && blocks_[static_cast<std::size_t>(columns_)].fabric->place().y == 0) ++columns_;
  const int count = static_cast<int>(blocks_.size());
  for (int i = 0; i < count; ++i) {
    fabric::FabricBlock& f = *blocks_[static_cast<std::size_t>(i)].fabric;
    const fabric::Rectangle& r = f.place();
    const auto link = [&](fabric::Direction d, bool inside, int other) {
      if (inside) f.set_neighbour(d, blocks_[static_cast<std::size_t>(other)].fabric);
    };
    link(fabric::north, r.y > 0, i - columns_);
    link(fabric::south, r.y + r.height < height, i + columns_);
    link(fabric::west, r.x > 0, i - 1);
    link(fabric::east, r.x + r.width < width, i + 1);
  }
  const int team = std::min(threads, count);
  if (team == 1) return;
  const auto share = [this, team](int part) { return blocks_.size() * static_cast<std::size_t>(part) / static_cast<std::size_t>(team); };
  step_share_ = [this, share](int part) { step_blocks(share(part), share(part + 1)); };
  team_ = std::make_unique<ThreadTeam>(team);
}

MeshDriver::Place MeshDriver::at(fabric::Coord c) const {
  const int block_width = blocks_[0].fabric->place().width, block_height = blocks_[0].fabric->place().height;
  const Block& block = blocks_[static_cast<std::size_t>((c.y / block_height) * columns_ + c.x / block_width)];
  return {&block, block.fabric->index(c)};
}

void MeshDriver::step_blocks(std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) {
    blocks_[i].fabric->evaluate(now_);
    blocks_[i].fabric->commit(now_);
    blocks_[i].core->step(now_);
  }
}

void MeshDriver::step(Cycle now) {
  if (edges_) edges_in(now);
  now_ = now;
  if (team_)
    team_->run(step_share_);
  else
    step_blocks(0, blocks_.size());
  if (edges_) edges_out(now);
}

void MeshDriver::edges_in(Cycle now) {
  edges_->deliver(now, [&](Port port, fabric::Color color, const fabric::Wavelet& wavelet) {
    const bool west = port.side == Port::Side::west;
    const Place place = at({west ? 0 : width_ - 1, port.row});
    return place.block->fabric->enter(place.pe, west ? fabric::west : fabric::east, color, wavelet, now);
  });
  if (!edges_->rooms_changed(now)) return;
  const auto rooms = [&](Block& block, fabric::Direction d, Port::Side side) {
    const fabric::Rectangle& place = block.fabric->place();
    for (int k = 0; k < place.height; ++k)
      block.fabric->set_edge_room(d, static_cast<std::uint16_t>(k), edges_->room({side, static_cast<std::uint16_t>(place.y + k)}, now));
  };
  for (std::size_t first = 0; first < blocks_.size(); first += static_cast<std::size_t>(columns_)) {
    rooms(blocks_[first], fabric::west, Port::Side::west);
    rooms(blocks_[first + static_cast<std::size_t>(columns_) - 1], fabric::east, Port::Side::east);
  }
}

void MeshDriver::edges_out(Cycle now) {
  const auto crossings = [&](const Block& block, fabric::Direction d, Port::Side side) {
    for (const fabric::FabricBlock::Crossing& c : block.fabric->crossings(d))
      edges_->leave({side, static_cast<std::uint16_t>(block.fabric->place().y + c.place)}, now, c.color, c.wavelet);
  };
  for (std::size_t first = 0; first < blocks_.size(); first += static_cast<std::size_t>(columns_)) {
    crossings(blocks_[first], fabric::west, Port::Side::west);
    crossings(blocks_[first + static_cast<std::size_t>(columns_) - 1], fabric::east, Port::Side::east);
  }
}

MeshDriver::Cycle MeshDriver::next_event(Cycle now) const {
  Cycle next = edges_ ? edges_->next_event(now) : never;
  for (const Block& block : blocks_) {
    if (block.fabric->awake()) return now + 1;
    next = std::min(next, block.core->next_event(now));
  }
  return next;
}

MeshDriver::Cycle MeshDriver::run(Cycle from) {
  Cycle now = from;
  for (;;) {
    step(now);
    const Cycle next = next_event(now);
    if (next == never) return now + 1;
    now = next;
  }
}

bool MeshDriver::quiet() const {
  for (const Block& block : blocks_) {
    if (!block.fabric->idle()) return false;
    for (std::uint32_t pe = 0; pe < static_cast<std::uint32_t>(block.fabric->size()); ++pe)
      if (!block.core->finished(pe)) return false;
  }
  return true;
}

}  // namespace wafersim::models
