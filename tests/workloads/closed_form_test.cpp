// Closed forms against numbers worked out by hand from the design's formulas, against lowering, and against a simulated wafer.

#include "workloads/closed_form.h"

#include <gtest/gtest.h>
#include <utility>

#include "tests/workloads/small_run.h"
#include "workloads/graph.h"

namespace wafersim::workloads {
namespace {

// One lane of 16 x 16 PEs of 8 tokens.
LoweringSpec main_job(int lanes = 1) {
  Layout layout;
  layout.lanes = lanes;
  layout.columns = layout.rows = 16;
  layout.batch = 4 * lanes;
  layout.sequence = 32;
  layout.heads = layout.columns_per_head = layout.samples_per_lane = layout.rows_per_sequence = 4;
  layout.tokens_per_pe = 8;
  return {{256, 64, 64, 2, 4, 256, 1e-5, true}, layout, 16, sim::Dtype::f16};
}

CallOutline linear(CallKind kind = CallKind::linear) {
  CallOutline call;
  call.kind = kind;
  call.inputs = 64;
  call.tile_inputs = 4;
  call.outputs = 256;
  call.tile_outputs = 16;
  return call;
}

TEST(ClosedForm, OfALinearIsTheDesigns) {
  // T_j = 4 (8 / 2 + 1) + (8 + 1) + 4 * 2 / 4 + 10 = 41; 256 T_j + 2 (2 * 2 + 2) 15 + 15
  EXPECT_EQ(closed_form_cycles(linear(), main_job(), {}), 256 * 41 + 180 + 15);
  LoweringSpec single = main_job();
  single.type = sim::Dtype::f32;  // rate 1, 4 bytes
  EXPECT_EQ(closed_form_cycles(linear(), single, {}), 256 * (4 * 9 + 9 + 4 + 10) + 195);
}

TEST(ClosedForm, OfALinearGrowsByNHWithTheIssueOfAWeight) {
  models::MachineSpec machine;
  machine.core.weight_issue_cycles = 2;
  EXPECT_EQ(closed_form_cycles(linear(), main_job(), machine) - closed_form_cycles(linear(), main_job(), {}), 256 * 4);
}

TEST(ClosedForm, HalvesTheRateBeyondTheAccumulatorCache) {
  LoweringSpec spec = main_job();
  spec.layout.tokens_per_pe = 65;  // 65 fp32 in 256 bytes
  EXPECT_EQ(closed_form_cycles(linear(), spec, {}), 256 * (4 * 66 + 66 + 2 + 10) + 195);
  spec.layout.tokens_per_pe = 64;
  EXPECT_EQ(closed_form_cycles(linear(), spec, {}), 256 * (4 * 33 + 65 + 2 + 10) + 195);
}

TEST(ClosedForm, OfAWeightGradientIsTheDesigns) {
  const CallOutline call = linear(CallKind::weight_gradient);
  // The 64 inputs travel, of which a PE has fewer: T_i = 2 (8 * 2 / 4 + 1) + 16 (8 / 2 + 1) + (16 + 1) + 10 = 117
  // and the first sum goes down 16 rows, from lane to lane over 30 more hops than between rows.
  EXPECT_EQ(closed_form_cycles(call, main_job(), {}), 64 * 117 + 6 * 15);
  EXPECT_EQ(closed_form_cycles(call, main_job(2), {}), 64 * 117 + 6 * 31 + 30);
  CallOutline back = call;
  std::swap(back.inputs, back.outputs);
  std::swap(back.tile_inputs, back.tile_outputs);
  EXPECT_EQ(closed_form_cycles(back, main_job(), {}), closed_form_cycles(call, main_job(), {}));  // now the outputs do
}

TEST(ClosedForm, OfReluTakesMaximaAtTheirRate) {
  CallOutline relu;
  relu.kind = CallKind::relu;
  relu.tile_inputs = 5;
  models::MachineSpec faster;
  faster.core.rate.half_max = 8;
  EXPECT_EQ(closed_form_cycles(relu, main_job(), {}) - closed_form_cycles(relu, main_job(), faster), 5 * (8 - 1));
}

TEST(ClosedForm, OfAKernelSwitchGrowsByTheHopsOfTheGathering) {
  models::MachineSpec slow;
  slow.fabric.hop_cycles = 2;
  EXPECT_EQ(kernel_switch_cycles(main_job().layout, slow) - kernel_switch_cycles(main_job().layout, {}), 15 + 15);
}

TEST(ClosedForm, TilesAreThoseOfTheFeatureMaps) {
  for (const int columns_per_head : {1, 2, 3, 5}) {
    const ModelShape shape{50, 64, 40, 1, 4, 150, 1e-5, true};
    Layout layout;
    layout.heads = 4;
    layout.columns_per_head = columns_per_head;
    layout.columns = 4 * columns_per_head;
    for (const Features f : {Features::residual, Features::qkv, Features::heads, Features::inner, Features::statistic})
      EXPECT_EQ(tile_rows(f, shape, layout), feature_map(f, shape, layout).per_column) << name(f) << ", " << columns_per_head;
  }
}

TEST(ClosedForm, StandsForEveryCallThatLoweringMakes) {
  for (const sim::Dtype type : {sim::Dtype::f16, sim::Dtype::f32})
    for (const int outputs : {1, 2, 6}) {
      const RunSpec run = small_run(type);
      const Mapping mapping = map_run(run);
      const TrainingGraph graph = differentiate(build_model(run.model.shape));
      LoweringSpec spec = lowering_spec(mapping, run, run.model.shape);
      spec.loss_outputs_per_pe = outputs;
      models::WaferPlan plan = lower(spec, graph, run.machine.core, run.machine.sram);
      fill_closed_forms(plan, spec, graph, run.machine);
      for (const models::KernelCall& call : plan.calls) EXPECT_GT(call.closed_form_cycles, 0) << call.kernel << ", " << call.phase;
    }
}

// What the forms neglect makes them too short: 12 % of a linear here, more where kernels are short.
TEST(ClosedForm, AgreesWithASimulatedStepWhoseWeightsAreAlwaysReady) {
  RunSpec run = small_run();
  run.model.shape = {48, 16, 32, 1, 2, 128, 1e-5, true};
  run.machine.io.bandwidth_override = 1e13;
  run.machine.io.latency = 0;
  const Mapping mapping = map_run(run);
  const models::WaferPlan plan = plan_of(run, mapping);
  const models::StepResult step = simulate_step(run, plan);
  ASSERT_EQ(step.statistics.calls.size(), plan.calls.size());
  double simulated_step = 0, form_step = 0;
  for (std::size_t i = 1; i < plan.calls.size(); ++i) {  // the first waits for its tokens
    const models::KernelCall& call = plan.calls[i];
    const double simulated = static_cast<double>(step.statistics.calls[i].last_done - step.statistics.calls[i].first_start);
    const bool exact = call.kernel == "linear" && call.phase != "weight_gradient";
    EXPECT_LT(call.closed_form_cycles, 1.2 * simulated) << i << ": " << call.kernel << ", " << call.phase;
    EXPECT_GT(call.closed_form_cycles, (exact ? 0.88 : 0.6) * simulated) << i << ": " << call.kernel << ", " << call.phase;
    simulated_step += simulated;
    form_step += call.closed_form_cycles;
  }
  EXPECT_NEAR(form_step, simulated_step, 0.15 * simulated_step);
}

}  // namespace
}  // namespace wafersim::workloads
