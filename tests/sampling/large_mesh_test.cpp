// Samples are small; what they are extended to is not: each kind of op by itself on a mesh far larger than its samples.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/fidelities.h"

namespace wafersim::tests {
namespace {

using workloads::Family;

void expect_sampled_is_simulated(const Experiment& experiment) {
  const workloads::Layout& layout = experiment.lowering.layout;
  fmt::print("{} lanes of {} columns, {} rows, {} tokens a PE\n", layout.lanes, layout.columns, layout.rows, layout.tokens_per_pe);
  for (const std::string& line : print_calls(compare_ops(experiment))) ADD_FAILURE() << line;
}

// `heads` heads of `columns` columns a lane, `tokens` x `features` a PE, `samples` sequences a lane.
SmallModel tiles(Family family, int lanes, int heads, int columns, int rows, int samples, int tokens, int features) {
  SmallModel model;
  model.family = family;
  model.tied = false;
  model.type = sim::Dtype::f16;
  model.lanes = lanes;
  model.heads = heads;
  model.columns_per_head = columns;
  model.rows = rows;
  model.batch = lanes * samples;
  model.rows_per_sequence = rows / samples;
  model.sequence = model.rows_per_sequence * tokens;
  model.width = heads * columns * features;
  model.inner = model.width;
  model.vocabulary = 2 * model.width;
  model.loss_outputs_per_pe = features;
  return model;
}

// h 11, t 36; a head of 256 features in 22 columns, of which 64 are rotated; the columns left over hold no head. The MLP is as wide as the
// stream here: of qkv's three tiles a PE has more rows.
TEST(LargeMesh, GptJsOwnTileOnThirtyTwoByThirtyTwo) {
  SmallModel model = tiles(Family::gptj, 1, 1, 22, 32, 4, 36, 11);
  model.further_columns = 10;
  model.rotary = 64;
  model.sequence -= 2;  // rows with a slot of padding, as 2048 tokens have in 57 rows
  model.vocabulary = 32 * 4;
  model.loss_outputs_per_pe = 2;
  workloads::LoweringSpec lowering = lowering_of(model);
  lowering.shape.width = lowering.shape.inner = 32 * 11;
  lowering.shape.head_width = 256;
  expect_sampled_is_simulated(make_experiment(lowering));
}

}  // namespace
}  // namespace wafersim::tests
