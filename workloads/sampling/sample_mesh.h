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

// How a sample cuts its columns into heads of the same rows in every tile.
struct SampleHeads {
  int columns_per_head = 1;
  int group = 1;  // heads that share keys

  int columns() const { return columns_per_head * group; }  // stay together
};

// `spec` on `mesh`: a model of the same rows in every tile, whose last chunk of the vocabulary fills the first and the last column as the
// true one does, in one micro-batch. REQUIRES mesh.columns to be a multiple of heads.columns(), as many rows as the sequences need, and
// columns_per_head to be that of `spec` or 1, where each column is as the first one of a head of `spec`.
LoweringSpec on_mesh(const LoweringSpec& spec, const SampleMesh& mesh, const SampleHeads& heads);

}  // namespace wafersim::workloads
