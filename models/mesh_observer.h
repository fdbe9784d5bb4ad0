#pragma once
// Who watches a mesh cycle by cycle. It may look at all and change nothing.

#include "fabric/geometry.h"

namespace wafersim::models {

class MeshDriver;

class MeshObserver {
 public:
  virtual ~MeshObserver() = default;
  // From now on it is told of every cycle in which something happens; `cycle` is the first that has not been simulated.
  virtual void begin(fabric::Cycle cycle, const MeshDriver& mesh) = 0;
  // All of `cycle` has happened.
  virtual void stepped(fabric::Cycle cycle, const MeshDriver& mesh) = 0;
};

}  // namespace wafersim::models
