// The graph of a color has an edge from a router to each neighbour it may send to, in any switch position. A cycle in it is a loop that
// wavelets can never leave; rings that pass through cores do not show, because the core changes the color.

#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/depth_first_search.hpp>
#include <fmt/format.h>

#include "fabric/route.h"
#include "sim/error.h"

namespace wafersim::fabric {
namespace {

using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS>;
using Vertex = Graph::vertex_descriptor;

struct LoopFinder : boost::default_dfs_visitor {
  explicit LoopFinder(std::vector<Vertex>* parent, std::vector<Vertex>* loop) : parent_(parent), loop_(loop) {}
  void tree_edge(Graph::edge_descriptor e, const Graph& g) { (*parent_)[target(e, g)] = source(e, g); }
  void back_edge(Graph::edge_descriptor e, const Graph& g) {
    if (!loop_->empty()) return;
    for (Vertex v = source(e, g); v != target(e, g); v = (*parent_)[v]) loop_->push_back(v);
    loop_->push_back(target(e, g));
  }
  std::vector<Vertex>* parent_;
  std::vector<Vertex>* loop_;
};

DirectionMask any_in(const Route& r) {
  DirectionMask all = 0;
  for (int p = 0; p < r.positions; ++p) all |= r.position[p].in;
  return all;
}

DirectionMask any_out(const Route& r) {
  DirectionMask all = 0;
  for (int p = 0; p < r.positions; ++p) all |= r.position[p].out;
  return all;
}

void check_color(const RouteMap& routes, Color color) {
  const int width = routes.width(), height = routes.height();
  Graph graph(static_cast<std::size_t>(width) * height);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const Route& route = routes.get({x, y}, color);
      const DirectionMask out = any_out(route);
      for (const Direction d : links) {
        if (!(out & mask(d))) continue;
        const Coord to = neighbour({x, y}, d);
        if (to.x < 0 || to.x >= width) continue;  // an edge port
        if (to.y < 0 || to.y >= height)
          throw sim::Error(
              sim::ErrorCategory::plan,
              fmt::format("color {} leaves the mesh to the {} at PE ({}, {}): only west and east have ports", color, name(d), x, y));
        if (!(any_in(routes.get(to, color)) & mask(opposite(d))))
          throw sim::Error(sim::ErrorCategory::plan,
                           fmt::format("color {} goes {} from PE ({}, {}) into PE ({}, {}), whose route does not listen to the {}", color,
                                       name(d), x, y, to.x, to.y, name(opposite(d))));
        add_edge(static_cast<Vertex>(y) * width + x, static_cast<Vertex>(to.y) * width + to.x, graph);
      }
    }
  std::vector<Vertex> parent(num_vertices(graph)), loop;
  boost::depth_first_search(graph, boost::visitor(LoopFinder(&parent, &loop)));
  if (loop.empty()) return;
  std::string path;
  for (auto v = loop.rbegin(); v != loop.rend(); ++v) path += fmt::format("({}, {}) -> ", *v % width, *v / width);
  throw sim::Error(sim::ErrorCategory::plan, fmt::format("color {} runs in a loop inside routers: {}({}, {})", color, path,
                                                         loop.back() % width, loop.back() / width));
}

}  // namespace

void check_routes(const RouteMap& routes) {
  for (const Color color : routes.colors()) check_color(routes, color);
}

}  // namespace wafersim::fabric
