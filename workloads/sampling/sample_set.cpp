#include "workloads/sampling/sample_set.h"

#include <algorithm>
#include <cmath>

namespace wafersim::workloads {
namespace {

// Meshes this small are not scaled: a ring of three columns has all roles, a sequence of two rows both ends.
constexpr int few_columns = 3, few_lanes = 2, few_chunks = 2, few_ring_rows = 2;
constexpr int high_rows = 128;  // the start's way down them outlasts a feeder's relay

class Chooser {
 public:
  explicit Chooser(const SampleMesh& base) : base_(base) { add(Regressor::one, base); }

  void add(Regressor regressor, const SampleMesh& mesh) {
    set_.regressors.push_back(regressor);
    set_.meshes.push_back(mesh);
  }
  // A mesh that differs from the base in one number.
  template <class Change>
  void vary(Regressor regressor, Change&& change) {
    SampleMesh mesh = base_;
    change(mesh);
    add(regressor, mesh);
  }
  SampleSet take(const SampleMesh& held_out) {
    if (set_.regressors.size() > 1) set_.meshes.push_back(held_out);
    return set_;
  }

 private:
  SampleMesh base_;
  SampleSet set_;
};

// A head or a few a lane; all rows hold sequences, whose ring only attention knows. These ops have no weights, so there may be fewer rows
// than columns.
SampleSet head_samples(TrainingKind kind, const SampleMesh& target, int columns_per_head, int scale) {
  const bool rotates = kind == TrainingKind::rotary || kind == TrainingKind::rotary_gradient;
  const bool long_ring = target.ring > few_ring_rows && !rotates;
  const int columns = std::min(target.columns, ceil_divide(few_columns, columns_per_head) * columns_per_head);
  // The first column of a head rotates most: the last such one of a row is the last to complete, in a row of one head the nearest.
  const int lanes = rotates && target.width() > columns ? 2 : 1;
  const auto with = [&](int ring, int sequences) {
    SampleMesh mesh;
    mesh.columns = columns;
    mesh.lanes = lanes;
    mesh.ring = ring;
    mesh.sequences = sequences;
    mesh.rows = ring * sequences;
    return mesh;
  };
  const int ring = std::min(target.ring, few_ring_rows), sequences = 4 * scale / ring;
  Chooser chooser(with(ring, sequences));
  if (target.width() > lanes * columns) chooser.vary(Regressor::width, [](SampleMesh& m) { ++m.lanes; });
  chooser.add(Regressor::rows, with(ring, 2 * sequences));
  if (!long_ring) return chooser.take(with(ring, 3 * sequences));
  chooser.add(Regressor::ring, with(ring + scale, sequences));
  return chooser.take(with(ring + 2 * scale, sequences));
}

bool sums_columns(TrainingKind kind) {
  return kind == TrainingKind::linear_weight_gradient || kind == TrainingKind::layer_norm_gradient ||
         kind == TrainingKind::rms_norm_gradient || kind == TrainingKind::loss || kind == TrainingKind::loss_gradient;
}

int sampled_chunks(TrainingKind kind, int chunks) {
  if (kind == TrainingKind::loss_gradient) return std::min(chunks, 3);  // the first, one between, the last
  if (kind == TrainingKind::loss) return chunks > few_chunks ? 1 : chunks;
  return 1;
}

}  // namespace

double value(Regressor regressor, const SampleMesh& mesh) {
  switch (regressor) {
    case Regressor::one: break;
    case Regressor::columns: return mesh.columns;
    case Regressor::width: return mesh.width();
    case Regressor::rows: return mesh.rows;
    case Regressor::lane_rows: return static_cast<double>(mesh.lanes) * mesh.rows;
    case Regressor::ring: return mesh.ring;
    case Regressor::chunks: return mesh.chunks;
    case Regressor::chunk_columns: return static_cast<double>(mesh.chunks) * mesh.columns;
  }
  return 1;
}

bool needs_whole_heads(TrainingKind kind) {
  switch (kind) {
    case TrainingKind::attention:
    case TrainingKind::attention_gradient:
    case TrainingKind::rotary:
    case TrainingKind::rotary_gradient:
    case TrainingKind::share_keys:
    case TrainingKind::share_keys_gradient: return true;
    case TrainingKind::embedding:
    case TrainingKind::layer_norm:
    case TrainingKind::rms_norm:
    case TrainingKind::linear:
    case TrainingKind::gelu:
    case TrainingKind::gelu_erf:
    case TrainingKind::relu:
    case TrainingKind::swiglu:
    case TrainingKind::residual:
    case TrainingKind::loss:
    case TrainingKind::loss_gradient:
    case TrainingKind::linear_weight_gradient:
    case TrainingKind::linear_input_gradient:
    case TrainingKind::layer_norm_gradient:
    case TrainingKind::rms_norm_gradient:
    case TrainingKind::gelu_gradient:
    case TrainingKind::gelu_erf_gradient:
    case TrainingKind::relu_gradient:
    case TrainingKind::swiglu_gradient:
    case TrainingKind::gradient_sum:
    case TrainingKind::embedding_gradient: break;
  }
  return false;
}

SampleSet choose_samples(TrainingKind kind, const SampleMesh& target, int together, const SampleReach& reach, int scale) {
  // Columns of a head keep different slices and hold up the lane's ring one after the other: all of them are needed. No feeders are.
  const bool shares_keys = kind == TrainingKind::share_keys || kind == TrainingKind::share_keys_gradient;
  if (needs_whole_heads(kind) && !shares_keys) return head_samples(kind, target, together, scale);
  // A norm's column sums wait for its own work, so that a low mesh does not show what a high one takes. They are cheap.
  const bool wide = target.columns > few_columns;
  const bool own_rows = !wide && (kind == TrainingKind::layer_norm_gradient || kind == TrainingKind::rms_norm_gradient);
  // A forward norm of a low mesh ends where the first feeder relays the gains of its column; that of a high one in its last row, where the
  // start comes late.
  const bool tall = kind == TrainingKind::layer_norm || kind == TrainingKind::rms_norm;
  const int fewest_rows = tall ? std::min(target.rows, high_rows * scale) : 0;
  const double rows_a_column = std::min<double>(reach.rows_a_column, static_cast<double>(target.rows) / target.columns);
  // Larger samples are as far apart: times that bend are straight where all samples lie behind the bend.
  const int apart = reach.columns[1] - reach.columns[0], further = (scale - 1) * apart;
  const int columns[] = {reach.columns[0] + further, reach.columns[1] + further,
                         std::max(reach.columns[2], reach.columns[1] + further + std::min(apart, reach.columns[2] - reach.columns[1]))};
  const auto with_columns = [&](SampleMesh mesh, int which) {
    mesh.columns = 0;
    for (int i = 0; i <= which; ++i) mesh.columns = std::max(ceil_divide(columns[i], together), mesh.columns / together + 1) * together;
    if (!shares_keys) mesh.rows = std::max({mesh.columns, fewest_rows, static_cast<int>(std::lround(mesh.columns * rows_a_column))});
    return mesh;
  };
  SampleMesh base;
  base.lanes = std::min(target.lanes, few_lanes);
  base.chunks = sampled_chunks(kind, target.chunks);
  base.columns = target.columns;
  base.rows = own_rows ? target.rows : std::max(fewest_rows, std::min(target.rows, (shares_keys ? 2 : 4) * scale));
  if (wide) base = with_columns(base, 0);
  SampleMesh held_out = base, wider = base;
  Chooser chooser(base);
  if (wide) {
    wider = with_columns(base, 1);
    held_out = with_columns(base, 2);
    chooser.add(Regressor::columns, wider);
  }
  const int more = shares_keys ? base.rows : std::max(base.columns, 4 * scale);
  const bool vary_rows = !own_rows && (wide || target.rows > base.rows);
  if (vary_rows) {
    chooser.vary(Regressor::rows, [&](SampleMesh& m) { m.rows += more; });
    if (!wide) held_out.rows += 2 * more;
  }
  if (target.lanes > few_lanes) {
    chooser.vary(Regressor::width, [](SampleMesh& m) { ++m.lanes; });
    if (vary_rows && sums_columns(kind)) {
      chooser.vary(Regressor::lane_rows, [&](SampleMesh& m) {
        ++m.lanes;
        m.rows += more;
      });
    }
    if (!wide) held_out.lanes += 2;
  }
  if (kind == TrainingKind::loss && target.chunks > few_chunks) {
    chooser.vary(Regressor::chunks, [](SampleMesh& m) { ++m.chunks; });
    if (wide) {
      ++wider.chunks;
      chooser.add(Regressor::chunk_columns, wider);
    }
    held_out.chunks += 2;
  }
  SampleSet set = chooser.take(held_out);
  for (SampleMesh& mesh : set.meshes) mesh.ring = mesh.rows;
  return set;
}

}  // namespace wafersim::workloads
