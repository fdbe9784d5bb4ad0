#pragma once
// A model, a mesh and a machine drawn from a seed: what no one chose.

#include <cstdint>
#include <string>

#include "tests/support/small_model.h"

namespace wafersim::tests {

enum class DrawnBound { none, stream, update };

struct DrawnMesh {
  std::string text;  // what it is
  Experiment experiment;
};

// Draw `index` of a seed. The link takes a share of the time that the kernels take by their closed forms to carry a step's words, the
// optimizer another for all updates; of what is to bind, several times that. Updates that are to bind take longer than the next step can
// hide, and the first step makes some: its loss scale is 1.
DrawnMesh draw_mesh(std::uint64_t seed, int index, DrawnBound bound);

}  // namespace wafersim::tests
