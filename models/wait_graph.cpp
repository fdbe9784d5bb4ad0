#include "models/wait_graph.h"

#include <fmt/format.h>
#include <functional>
#include <map>

namespace wafersim::models {

using fabric::Coord, fabric::Direction, fabric::FabricBlock;
using Kind = WaitGraph::Node::Kind;

namespace {

std::string place(int x, int y) { return fmt::format("PE ({}, {})", x, y); }

const char* edge_name(Kind kind) { return kind == Kind::west_edge ? "west" : "east"; }

}  // namespace

std::vector<WaitGraph::Wait> WaitGraph::waits_of(const Node& node) const {
  switch (node.kind) {
    case Kind::core: return core_waits(node);
    case Kind::queue: return queue_waits(node);
    case Kind::west_edge:
    case Kind::east_edge: return edge_waits(node);
  }
  return {};
}

// Where a wavelet of `color` that the router of `pe` does not have would come from.
std::vector<WaitGraph::Node> WaitGraph::senders(Coord pe, fabric::Color color) const {
  std::vector<Node> found;
  std::set<std::pair<int, int>> seen;
  std::vector<Coord> todo = {pe};
  while (!todo.empty()) {
    const Coord at = todo.back();
    todo.pop_back();
    if (!seen.insert({at.y, at.x}).second) continue;
    const MeshDriver::Place p = mesh_.at(at);
    if (!(at == pe) && p.block->fabric->waiting_in_router(p.pe, color) > 0) {
      found.push_back({Kind::queue, at.x, at.y, color});
      continue;
    }
    const fabric::DirectionMask in = p.block->fabric->current_route(p.pe, color).in;
    if (in & fabric::mask(fabric::ramp)) found.push_back({Kind::core, at.x, at.y, 0});
    for (const Direction d : fabric::links) {
      if (!(in & fabric::mask(d))) continue;
      const Coord from = neighbour(at, d);
      if (from.x < 0)
        found.push_back({Kind::west_edge, 0, at.y, 0});
      else if (from.x >= mesh_.width())
        found.push_back({Kind::east_edge, 0, at.y, 0});
      else if (from.y >= 0 && from.y < mesh_.height())  // nothing comes over the north and south edges, whatever a route listens to
        todo.push_back(from);
    }
  }
  return found;
}

std::vector<WaitGraph::Wait> WaitGraph::core_waits(const Node& node) const {
  const MeshDriver::Place p = mesh_.at({node.x, node.y});
  const std::string who = place(node.x, node.y);
  std::vector<Wait> waits;
  for (const CoreBlock::Wait& w : p.block->core->waits_of(p.pe)) switch (w.kind) {
      case CoreBlock::Wait::Kind::input: {
        if (w.color == FabricBlock::unbound) {
          waits.push_back({node, fmt::format("{} waits for input queue {}, to which no color is bound ({})", who, w.queue, w.what), {}});
          break;
        }
        const std::string why = fmt::format("{} waits for a wavelet of color {} in input queue {} ({})", who, w.color, w.queue, w.what);
        if (p.block->fabric->waiting_in_router(p.pe, w.color) > 0) {
          waits.push_back({node, why, Node{Kind::queue, node.x, node.y, w.color}});
          break;
        }
        const std::vector<Node> from = senders({node.x, node.y}, w.color);
        for (const Node& sender : from) waits.push_back({node, why, sender});
        if (from.empty()) waits.push_back({node, why + ", which no route brings", {}});
        break;
      }
      case CoreBlock::Wait::Kind::output:
        waits.push_back({node, fmt::format("{} waits for room in output queue {} of color {} ({})", who, w.queue, w.color, w.what),
                         Node{Kind::queue, node.x, node.y, w.color}});
        break;
      case CoreBlock::Wait::Kind::microthread: break;  // its microthread's own wait follows
      case CoreBlock::Wait::Kind::unblock:
        waits.push_back({node, fmt::format("{} waits for task {} to be unblocked", who, w.what), {}});
        break;
    }
  return waits;
}

std::vector<WaitGraph::Wait> WaitGraph::queue_waits(const Node& node) const {
  const MeshDriver::Place p = mesh_.at({node.x, node.y});
  const FabricBlock& routers = *p.block->fabric;
  const std::string who = fmt::format("color {} in the router of {} ({} wavelets)", node.color, place(node.x, node.y),
                                      routers.waiting_in_router(p.pe, node.color));
  if (routers.waiting_in_router(p.pe, node.color) == 0) {
    // Only its switch can keep a core from sending into an empty queue.
    return {{node,
             fmt::format("color {} in the router of {} does not listen to its core: the switch stands elsewhere", node.color,
                         place(node.x, node.y)),
             {}}};
  }
  const fabric::DirectionMask out = routers.current_route(p.pe, node.color).out;
  std::vector<Wait> waits;
  if (out & fabric::mask(fabric::ramp)) {
    const int queue = routers.bound_queue(p.pe, node.color);
    if (queue == FabricBlock::unbound)
      waits.push_back({node, who + " waits for an input queue that its core has not bound", Node{Kind::core, node.x, node.y, 0}});
    else if (routers.waiting_in_input(p.pe, queue) > 0)
      waits.push_back(
          {node, fmt::format("{} waits for room in input queue {} of the core", who, queue), Node{Kind::core, node.x, node.y, 0}});
  }
  for (const Direction d : fabric::links) {
    if (!(out & fabric::mask(d))) continue;
    const Coord to = neighbour({node.x, node.y}, d);
    if (to.x < 0 || to.x >= mesh_.width()) {
      waits.push_back(
          {node, fmt::format("{} may wait for room in the {} edge queue of row {}", who, to.x < 0 ? "west" : "east", to.y), {}});
      continue;
    }
    const MeshDriver::Place next = mesh_.at(to);
    if (!(next.block->fabric->current_route(next.pe, node.color).in & fabric::mask(opposite(d))))
      waits.push_back(
          {node, fmt::format("{} waits for the switch of {} to listen to the {}", who, place(to.x, to.y), fabric::name(opposite(d))), {}});
    else if (next.block->fabric->waiting_in_router(next.pe, node.color) > 0)
      waits.push_back(
          {node, fmt::format("{} waits for room in the router of {}", who, place(to.x, to.y)), Node{Kind::queue, to.x, to.y, node.color}});
  }
  return waits;
}

std::vector<WaitGraph::Wait> WaitGraph::edge_waits(const Node& node) const {
  const bool west = node.kind == Kind::west_edge;
  const memoryx::Port port{west ? memoryx::Port::Side::west : memoryx::Port::Side::east, static_cast<std::uint16_t>(node.y)};
  const std::string who = fmt::format("the {} edge port of row {}", edge_name(node.kind), node.y);
  const int x = west ? 0 : mesh_.width() - 1;
  if (in_ == nullptr) return {{node, who + " has no link behind it", {}}};
  if (const memoryx::InWord* head = in_->front(port, cycle_))
    return {{node,
             fmt::format("{} has a wavelet of color {} first and waits for room in the router of {}", who, head->color, place(x, node.y)),
             Node{Kind::queue, x, node.y, head->color}}};
  if (const std::optional<memoryx::Port> blocked = in_->blocked(timing_.channel_of(port)))
    return {{node, fmt::format("{} waits for its channel, whose next word is for row {}", who, blocked->row),
             Node{node.kind, 0, blocked->row, 0}}};
  return {{node, who + ": the stream of weights has ended there", {}}};
}

WaitGraph::Chain WaitGraph::chain_from(const Node& from, std::set<Node>& done) const {
  Chain ended;
  std::vector<Wait> path;
  std::map<Node, int> on_path;  // index of the node's wait in path
  std::optional<Chain> closed;
  const std::function<void(const Node&)> visit = [&](const Node& node) {
    on_path[node] = static_cast<int>(path.size());
    std::vector<Wait> waits = waits_of(node);
    if (waits.empty()) waits.push_back({node, place(node.x, node.y) + ", which would have to act, has no task to run", {}});
    for (const Wait& wait : waits) {
      path.push_back(wait);
      if (!wait.on) {
        if (ended.waits.empty()) ended.waits = path;
      } else if (const auto seen = on_path.find(*wait.on); seen != on_path.end()) {
        closed = Chain{path, seen->second};
      } else if (!done.contains(*wait.on)) {
        visit(*wait.on);
      }
      if (closed) return;
      path.pop_back();
    }
    on_path.erase(node);
    done.insert(node);
  };
  visit(from);
  return closed ? *closed : ended;
}

}  // namespace wafersim::models
