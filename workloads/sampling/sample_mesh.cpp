#include "workloads/sampling/sample_mesh.h"

#include <algorithm>

#include "workloads/call_outline.h"

namespace wafersim::workloads {
namespace {

// Outputs of the last chunk on `columns` columns: all in the first column, or all columns full but for the last.
int last_chunk_outputs(const LoweringSpec& spec, int columns) {
  const int rows = spec.loss_outputs_per_pe;
  const int left = spec.shape.vocabulary - (spec.chunks() - 1) * spec.layout.columns * rows;
  if (left <= rows) return left;
  return (columns - 1) * rows + std::max(0, left - (spec.layout.columns - 1) * rows);
}

}  // namespace

SampleMesh mesh_of(const LoweringSpec& spec) {
  const Layout& layout = spec.layout;
  return {layout.columns, layout.rows, layout.lanes, layout.rows_per_sequence, layout.samples_per_lane, spec.chunks()};
}

LoweringSpec on_mesh(const LoweringSpec& spec, const SampleMesh& mesh, const SampleHeads& heads) {
  LoweringSpec sample = spec;
  sample.micro_batches = 1;
  Layout& layout = sample.layout;
  layout.lanes = mesh.lanes;
  layout.columns = mesh.columns;
  layout.rows = mesh.rows;
  layout.rows_per_sequence = mesh.ring;
  layout.samples_per_lane = mesh.sequences;
  layout.batch = mesh.lanes * mesh.sequences;
  layout.sequence = mesh.ring * layout.tokens_per_pe;
  layout.columns_per_head = heads.columns_per_head;
  layout.heads = mesh.columns / layout.columns_per_head;
  ModelShape& shape = sample.shape;
  shape.heads = layout.heads;
  shape.kv_heads = layout.heads / heads.group;
  shape.head_width = spec.shape.head();
  if (layout.columns_per_head < spec.layout.columns_per_head) {
    shape.head_width = tile_rows(Features::heads, spec.shape, spec.layout);
    shape.rotary = std::min(spec.shape.rotary, shape.head_width / 2 * 2);
  }
  shape.width = tile_rows(Features::residual, spec.shape, spec.layout) * mesh.columns;
  shape.inner = tile_rows(Features::inner, spec.shape, spec.layout) * mesh.columns;
  shape.positions = layout.sequence;
  shape.vocabulary = (mesh.chunks - 1) * mesh.columns * spec.loss_outputs_per_pe + last_chunk_outputs(spec, mesh.columns);
  return sample;
}

}  // namespace wafersim::workloads
