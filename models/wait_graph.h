#pragma once
// Who waits for whom in a mesh that does not go on (stall_report.h has the rules).

#include <compare>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "memoryx/io_link.h"
#include "models/mesh_driver.h"

namespace wafersim::models {

class WaitGraph {
 public:
  struct Node {
    enum class Kind : std::uint8_t { core, queue, west_edge, east_edge };
    Kind kind = Kind::core;
    int x = 0, y = 0;
    fabric::Color color = 0;  // of a queue
    friend auto operator<=>(const Node&, const Node&) = default;
  };
  struct Wait {
    Node node;
    std::string why;         // "PE (1, 2) waits for a wavelet of color 5 in input queue 0: fma ..."
    std::optional<Node> on;  // none: the chain ends here, and `why` says so
  };

  // mesh, in: null when nothing enters over a link.
  WaitGraph(const MeshDriver& mesh, const memoryx::InLink* in, const memoryx::LinkTiming& timing, fabric::Cycle cycle)
      : mesh_(mesh), in_(in), timing_(timing), cycle_(cycle) {}

  // All that a node waits for, in a fixed order; empty for a core that has nothing to do.
  std::vector<Wait> waits_of(const Node& node) const;

  // The waits from `from` on: up to the first node met twice, or to an end. Prefers a chain that closes a cycle. Nodes in `done` are known
  // to lead to none; those of this search are added, so that searches from all cores look at each node once.
  struct Chain {
    std::vector<Wait> waits;
    int cycle_begins = -1;  // index of the first wait of the cycle; -1: the chain ends
  };
  Chain chain_from(const Node& from, std::set<Node>& done) const;

 private:
  std::vector<Wait> core_waits(const Node& node) const;
  std::vector<Wait> queue_waits(const Node& node) const;
  std::vector<Wait> edge_waits(const Node& node) const;
  std::vector<Node> senders(fabric::Coord pe, fabric::Color color) const;

  const MeshDriver& mesh_;
  const memoryx::InLink* in_;
  memoryx::LinkTiming timing_;
  fabric::Cycle cycle_;
};

}  // namespace wafersim::models
