// The sides of a block: edge ports, and what neighbours tell each other from one cycle to the next.
#include <algorithm>

#include "fabric/fabric_block.h"

namespace wafersim::fabric {

std::uint16_t FabricBlock::along(std::uint32_t pe, Direction d) const {
  return static_cast<std::uint16_t>(d == north || d == south ? static_cast<int>(pe) % place_.width : static_cast<int>(pe) / place_.width);
}

std::uint32_t FabricBlock::border_pe(Direction d, std::uint16_t along_side) const {
  switch (d) {
    case north: return along_side;
    case south: return static_cast<std::uint32_t>((place_.height - 1) * place_.width + along_side);
    case west: return static_cast<std::uint32_t>(along_side * place_.width);
    case east: return static_cast<std::uint32_t>(along_side * place_.width + place_.width - 1);
    case ramp: break;
  }
  return 0;
}

void FabricBlock::set_edge_room(Direction d, std::uint16_t place, bool room) {
  std::vector<std::uint8_t>& rooms = edge_room_[d];
  if (rooms.empty()) rooms.resize(static_cast<std::size_t>(place_.height));
  if (room && rooms[place] == 0) {
    const std::uint32_t pe = border_pe(d, place);
    routers_[pe].blocked = 0;
    if (routers_[pe].pending != 0) activate(pe);
  }
  rooms[place] = room;
}

bool FabricBlock::room_outside(std::uint32_t pe, int slot, Direction d) const {
  const std::uint16_t place = along(pe, d);
  if (neighbour_[d]) return room_[d][place * slots_ + static_cast<unsigned>(slot)] > 0;
  return !edge_room_[d].empty() && edge_room_[d][place] != 0;
}

void FabricBlock::cross(std::uint32_t pe, int slot, DirectionMask out, const RouterWord& word) {
  for (const Direction d : links)
    if (out & mask(d) && leaves(pe, d))
      border_[parity_][d].words.push_back({along(pe, d), slot_color_[slot], {word.payload, word.control, false}});
}

void FabricBlock::tell_room(std::uint32_t pe, int slot, unsigned sides, bool again) {
  const RouterQueue& queue = queues_[at(pe, slot)];
  for (const Direction d : links) {
    if (!(sides & mask(d)) || !neighbour_[d]) continue;
    const bool listens = (queue.in & mask(d)) != 0;
    const int words = listens ? spec_.router_queue_words - held(queue, d) : 0;
    Border& border = border_[parity_][d];
    border.rooms.push_back({along(pe, d), static_cast<std::int16_t>(words), static_cast<std::uint8_t>(slot), again && listens});
    border.room_again = border.room_again || (again && listens);
  }
}

bool FabricBlock::idle() const {
  return waiting_ == 0 &&
         std::all_of(links.begin(), links.end(), [&](Direction d) { return !neighbour_[d] || border_[parity_][d].words.empty(); });
}

bool FabricBlock::awake() const {
  if (later_count_ != 0) return true;
  for (const std::uint64_t word : active_)
    if (word != 0) return true;
  for (const Direction d : links) {
    if (!neighbour_[d]) continue;
    const Border& told = neighbour_[d]->border_[parity_][opposite(d)];
    if (!told.words.empty() || told.room_again) return true;
  }
  return false;
}

// The wavelet that crossed to the router of `pe` in the last cycle and may move in the next.
FabricBlock::Crossed FabricBlock::crossed_into(std::uint32_t pe, Color color) {
  if (spec_.hop_cycles > 1) return {};
  for (const Direction d : links) {
    if (!leaves(pe, d) || !neighbour_[d]) continue;
    std::vector<Crossing>& words = neighbour_[d]->border_[parity_][opposite(d)].words;
    const auto found =
        std::find_if(words.begin(), words.end(), [&](const Crossing& c) { return c.place == along(pe, d) && c.color == color; });
    if (found != words.end()) return {&words, found};
  }
  return {};
}

bool FabricBlock::flip_waiting(std::uint32_t pe, Color color, std::uint32_t bits) {
  if (color_slot_[color] == unbound) return false;
  RouterQueue& queue = queues_[at(pe, color_slot_[color])];
  if (queue.arrived > 0) {
    queues_.flip_front(queue, bits);
    return true;
  }
  const Crossed crossed = crossed_into(pe, color);
  if (crossed.words) crossed.word->wavelet.payload ^= bits;
  return crossed.words != nullptr;
}

}  // namespace wafersim::fabric
