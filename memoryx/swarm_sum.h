#pragma once
// The order in which SwarmX adds the systems' gradients (workloads/NUMERICS.md, "Several systems"). Pure.

#include <vector>

#include "sim/numerics/elementary.h"

namespace wafersim::memoryx {

// Wafers that share each step's batch. A node has `fanout` children, the last of a level what is left: systems 0 .. fanout - 1 are those of
// the first node of the lowest level, and so on; the nodes of a level are the children of the next.
struct SwarmTree {
  int systems = 1;
  int fanout = 4;
};

// What a node makes of what its children before gave and the next one's: fp32.
inline float add_child(float sum, float child) { return sim::numerics::add(sum, child); }

// Takes the values of systems 0, 1, ... element by element and keeps no more than a sum a level of the tree.
class SwarmSum {
 public:
  explicit SwarmSum(int fanout) : fanout_(fanout) {}
  // As many values as of the systems before.
  void add(std::vector<float> values) { give(0, std::move(values)); }
  // What the root sends for the systems added so far; afterwards there are none. REQUIRES one.
  std::vector<float> take();

 private:
  struct Node {  // the one of its level that is not complete
    int children = 0;
    std::vector<float> sum;
  };
  void give(std::size_t level, std::vector<float> values);

  int fanout_;
  std::vector<Node> levels_;
};

}  // namespace wafersim::memoryx
