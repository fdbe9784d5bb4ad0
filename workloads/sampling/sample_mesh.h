#pragma once
// A kernel call on another mesh with the same tile: what may differ between a sample and the call whose time it tells.

#include "workloads/kernels/lower.h"

namespace wafersim::workloads {

struct SampleMesh {
  int columns = 1;    // C, of a lane
  int rows = 1;       // R
  int lanes = 1;      // L
  int ring = 1;       // rows of a sequence
  int sequences = 1;  // of a lane
  int chunks = 1;     // of the vocabulary

  int width() const { return lanes * columns; }
  int sequence_rows() const { return ring * sequences; }
  friend bool operator==(const SampleMesh&, const SampleMesh&) = default;
};

SampleMesh mesh_of(const LoweringSpec& spec);

// `spec` on `mesh`: a model of the same rows in every tile, whose last chunk of the vocabulary fills the first and the last column as the
// true one does. A head has as many columns as in `spec` when whole_heads, else one. REQUIRES mesh.columns to hold whole heads, and as many
// rows as the sequences need.
LoweringSpec on_mesh(const LoweringSpec& spec, const SampleMesh& mesh, bool whole_heads);

}  // namespace wafersim::workloads
