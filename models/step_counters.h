#pragma once
// The statistics of a step, as differences of what a mesh and its link have counted since the start.

#include <vector>

#include "memoryx/io_link.h"
#include "models/mesh_driver.h"
#include "models/system.h"

namespace wafersim::models {

class StepCounters {
 public:
  // width: of the mesh, in PEs.
  StepCounters(int width, int height) : width_(width), pes_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height)) {}

  // Counts all up to cycle `end` and returns what is new since the last call. Error(invariant) when a PE's activities do not add up to
  // `end`.
  StepStatistics take(fabric::Cycle end, const std::vector<Block>& blocks, const memoryx::InLink& in, const memoryx::OutLink& out,
                      int channels);

  // Saves or restores what new counters do not know.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(before_.activity, before_.flits, before_.hops, before_.in, before_.out);
  }

 private:
  int width_;
  std::size_t pes_;
  StepStatistics before_;  // since the start; calls empty
};

}  // namespace wafersim::models
