// Micro-batches and recompute change when things are computed, and in which order gradients are added: nothing else.

#include <gtest/gtest.h>

#include "tests/support/pure_wafer.h"
#include "tests/support/same_bits.h"
#include "tests/support/small_model.h"

namespace wafersim::tests {
namespace {

using workloads::reference::StepValues;

SmallModel model_of(sim::Dtype type, int batch, int micro_batches) {
  SmallModel model;
  model.layers = 2;
  model.batch = batch;
  model.micro_batches = micro_batches;
  model.type = type;
  return model;
}

std::vector<std::uint32_t> part(const std::vector<std::uint32_t>& ids, std::size_t m, std::size_t count) {
  const auto size = static_cast<std::ptrdiff_t>(ids.size() / count), first = static_cast<std::ptrdiff_t>(m) * size;
  return {ids.begin() + first, ids.begin() + first + size};
}

class MicroBatches : public testing::TestWithParam<std::tuple<sim::Dtype, int>> {};

TEST_P(MicroBatches, AddTheGradientsOfOneMicroBatchEachInFp32) {
  const auto [type, count] = GetParam();
  const Experiment whole = make_experiment(model_of(type, 2 * count, count)), one = make_experiment(model_of(type, 2, 1));
  const memoryx::StepBatch batch = whole.batch(0);
  const double scale = 1024.0 * count;  // of the whole step; a micro-batch alone divides by fewer tokens
  const StepValues got =
      workloads::reference::run_step(whole.lowering, whole.graph, whole.store.weights(), batch.tokens, batch.targets, scale);
  std::vector<float> sum;
  double loss = 0;
  for (int m = 0; m < count; ++m) {
    const auto at = static_cast<std::size_t>(m), of = static_cast<std::size_t>(count);
    const StepValues values = workloads::reference::run_step(one.lowering, one.graph, one.store.weights(), part(batch.tokens, at, of),
                                                             part(batch.targets, at, of), scale / count);
    loss += values.loss / count;
    if (m == 0) sum = values.gradients;
    for (std::size_t e = 0; m > 0 && e < sum.size(); ++e) sum[e] = sum[e] + values.gradients[e];
  }
  EXPECT_NEAR(got.loss, loss, 1e-12);
  for (const memoryx::ParameterEntry& entry : whole.store.table().entries())
    for (std::size_t e = entry.offset; e < entry.offset + entry.size; ++e) {
      if (entry.name == "wte.weight" || entry.name == "wpe.weight")
        ASSERT_NEAR(got.gradients[e], sum[e], 1e-5 * scale) << entry.name;  // their tokens are added after all micro-batches
      else
        ASSERT_EQ(got.gradients[e], sum[e]) << entry.name;
    }
}

INSTANTIATE_TEST_SUITE_P(Counts, MicroBatches, testing::Combine(testing::Values(sim::Dtype::f32, sim::Dtype::f16), testing::Values(2, 3)),
                         [](const auto& test) {
                           return (std::get<0>(test.param) == sim::Dtype::f32 ? "Fp32x" : "Fp16x") +
                                  std::to_string(std::get<1>(test.param));
                         });

// The next micro-batch's token rows and targets reach the PEs while these still train on this one's.
class EarlyWords : public testing::TestWithParam<std::tuple<int, int, double, int>> {};

TEST_P(EarlyWords, OfTheNextMicroBatchWaitAndChangeNoBit) {
  const auto [count, lanes, bandwidth, edge_queue_words] = GetParam();
  SmallModel model = model_of(sim::Dtype::f16, lanes * count, count);
  model.layers = 1;
  model.lanes = lanes;
  Experiment e = make_experiment(model);
  e.machine.io.bandwidth_override = bandwidth;
  e.machine.io.edge_queue_words = edge_queue_words;
  const models::WaferPlan plan = e.plan();
  workloads::reference::ReferenceTrainer reference = e.reference();
  PureWafer wafer(e.machine, plan, e.store, e.training);
  for (int step = 0; step < 2; ++step) {
    const memoryx::StepBatch batch = e.batch(step);
    EXPECT_EQ(wafer.run_step(batch).loss, reference.step(batch.tokens, batch.targets).loss);
    ASSERT_EQ(first_difference(wafer.store(), reference.store()), "");
  }
}

INSTANTIATE_TEST_SUITE_P(Links, EarlyWords,
                         testing::Combine(testing::Values(2, 3), testing::Values(1, 2), testing::Values(1e9, 1e12, 1e15),
                                          testing::Values(8, 4096)),
                         [](const auto& test) {
                           const double bandwidth = std::get<2>(test.param);
                           return std::to_string(std::get<0>(test.param)) + "x" + std::to_string(std::get<1>(test.param)) + "Lanes" +
                                  (bandwidth < 1e10   ? "Slow"
                                   : bandwidth < 1e13 ? "Fast"
                                                      : "Free") +
                                  std::to_string(std::get<3>(test.param)) + "Words";
                         });

class Recompute : public testing::TestWithParam<sim::Dtype> {
 protected:
  SmallModel model_ = model_of(GetParam(), 2, 1);
};

TEST_P(Recompute, GivesTheBitsOfKeptActivations) {
  const Experiment kept = make_experiment(model_);
  model_.recompute = true;
  const Experiment again = make_experiment(model_);
  const models::WaferPlan plan = kept.plan(), longer = again.plan();
  PureWafer wafer(kept.machine, plan, kept.store, kept.training), other(again.machine, longer, again.store, again.training);
  for (int step = 0; step < 2; ++step) {
    EXPECT_EQ(other.run_step(again.batch(step)).loss, wafer.run_step(kept.batch(step)).loss);
    ASSERT_EQ(first_difference(other.store(), wafer.store()), "");
  }
}

TEST_P(Recompute, OfOneLayerGivesTheBitsOfKeptActivations) {
  const Experiment kept = make_experiment(model_);
  workloads::LoweringSpec lowering = kept.lowering;
  lowering.recompute = {false, true};
  const Experiment again = make_experiment(lowering);
  const models::WaferPlan plan = kept.plan(), longer = again.plan();
  PureWafer wafer(kept.machine, plan, kept.store, kept.training), other(again.machine, longer, again.store, again.training);
  EXPECT_EQ(other.run_step(again.batch(0)).loss, wafer.run_step(kept.batch(0)).loss);
  EXPECT_EQ(first_difference(other.store(), wafer.store()), "");
}

TEST_P(Recompute, KeepsOnlyTheInputsOfLayersInSram) {
  model_.layers = 6;
  const int kept = make_experiment(model_).plan().sram.peak_bytes;
  model_.recompute = true;
  const int peak = make_experiment(model_).plan().sram.peak_bytes;
  model_.layers = 7;
  const Experiment deeper = make_experiment(model_);
  EXPECT_LT(peak, kept);
  // One more layer needs no more than one more tile of the residual stream.
  const int h = workloads::tile_rows(workloads::Features::residual, deeper.lowering.shape, deeper.lowering.layout);
  EXPECT_EQ(deeper.plan().sram.peak_bytes - peak, h * deeper.lowering.layout.pitch() * sim::bytes_of(GetParam()));
}

TEST_P(Recompute, RunsAgainWhatTheBackwardPassReadsAndNothingElse) {
  model_.layers = 1;
  model_.recompute = true;
  std::vector<std::string> kernels;
  for (const models::KernelCall& call : make_experiment(model_).plan().calls)
    if (call.phase == "recompute" && call.layer == 0) kernels.push_back(call.kernel);
  // Not the second linear of the MLP and the sum after it, whose results are the next layer's input.
  EXPECT_EQ(kernels, (std::vector<std::string>{"layer_norm", "linear", "attention", "linear", "residual", "layer_norm", "linear", "gelu"}));
}

INSTANTIATE_TEST_SUITE_P(Types, Recompute, testing::Values(sim::Dtype::f32, sim::Dtype::f16),
                         [](const auto& test) { return test.param == sim::Dtype::f32 ? "Fp32" : "Fp16"; });

}  // namespace
}  // namespace wafersim::tests
