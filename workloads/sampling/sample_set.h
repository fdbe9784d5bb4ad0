#pragma once
// On which meshes a kind of op is sampled, and what its times are linear in. All times of a kernel are, as long as the tile stays: outputs
// are columns times the tile's rows, a ring's and a column's fill are hops. Where the shape of the mesh matters (weights enter at rows that
// move with the column), times are linear along meshes of one shape: samples take the target's rows a column as far as they can.

#include <vector>

#include "workloads/autodiff.h"
#include "workloads/sampling/sample_mesh.h"

namespace wafersim::workloads {

enum class Regressor {
  one,
  columns,        // of a lane
  width,          // of all lanes: starts, completions, weights and tokens pass them
  rows,           // of the mesh
  lane_rows,      // of all lanes: sums of columns run down each of them in turn
  ring,           // rows of a sequence
  chunks,         // of the vocabulary
  chunk_columns,  // chunks * columns: with the tile's rows the outputs of the loss
};
double value(Regressor regressor, const SampleMesh& mesh);

struct SampleSet {
  std::vector<Regressor> regressors;
  // As many as regressors, which they determine; then, unless the target's own mesh is the only sample, a larger one that is held out.
  std::vector<SampleMesh> meshes;
  bool has_held_out() const { return meshes.size() > regressors.size(); }
};

// How far samples reach: the columns of two fitted meshes and of the one held out, and most rows a column.
struct SampleReach {
  int columns[3];
  int rows_a_column;
  int least_rows_a_column;  // of a target that it is for
};
// The costliest first. A kernel that is shorter than a start's way down a high mesh shows that behind twelve columns.
constexpr SampleReach sample_reaches[] = {
    {{4, 8, 16}, 16, 5}, {{4, 8, 12}, 16, 0}, {{4, 8, 12}, 4, 0}, {{4, 6, 8}, 2, 0}, {{3, 5, 6}, 1, 0}};

// Whether the op needs all columns of a head (attention, rotation, sharing of keys).
bool needs_whole_heads(TrainingKind kind);

// Samples for an op of `kind` on the mesh `target`, whose columns come in `together` that cannot be parted. scale >= 1 enlarges them: all
// columns by as many as lie between the fitted ones, rows where no columns are varied to so many times as many.
SampleSet choose_samples(TrainingKind kind, const SampleMesh& target, int together, const SampleReach& reach, int scale);

}  // namespace wafersim::workloads
