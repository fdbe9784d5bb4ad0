// The main job (workloads/presets/main.json) on the untimed reference, whose bits are the wafer's: it learns, and fp16 learns as fp32 does.
#include <cmath>
#include <gtest/gtest.h>

#include "sim/config/tree.h"
#include "tools/trainer/prepared_run.h"
#include "workloads/reference/reference_trainer.h"

namespace wafersim::tools {
namespace {

std::vector<double> losses_of_the_main_job(const char* dtype) {
  const workloads::RunSpec spec = workloads::read_run_spec("main", {{"dtype", dtype, std::string("--set dtype=") + dtype}}, ".");
  const PreparedRun run = prepare_run(spec);
  const workloads::LoweringSpec& l = run.lowering;
  workloads::reference::ReferenceTrainer trainer({l.shape, l.layout, l.loss_outputs_per_pe, l.type}, run.training.update, *run.weights);
  std::vector<double> losses;
  for (int step = 0; step < spec.training.steps; ++step) {
    const workloads::Batch batch =
        workloads::make_batch(*run.tokens, static_cast<std::uint64_t>(step), spec.training.batch, spec.training.sequence);
    losses.push_back(trainer.step(batch.inputs, batch.targets).loss);
  }
  return losses;
}

TEST(MainJob, TheMeanOfTheLastFiveLossesIsAtLeastTenPercentBelowThatOfTheFirstFive) {
  const std::vector<double> losses = losses_of_the_main_job("fp16");
  ASSERT_EQ(losses.size(), 20u);
  double first = 0, last = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    first += losses[i] / 5;
    last += losses[losses.size() - 1 - i] / 5;
  }
  EXPECT_LT(last, 0.9 * first);
}

TEST(MainJob, TheLastLossInFp16IsWithinOnePercentOfThatInFp32) {
  const double half = losses_of_the_main_job("fp16").back(), single = losses_of_the_main_job("fp32").back();
  EXPECT_NE(half, single);
  EXPECT_NEAR(half, single, 0.01 * single);
}

}  // namespace
}  // namespace wafersim::tools
