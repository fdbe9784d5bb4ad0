// The PEs do the work: they count the multiply-adds of the model, and what happens to a wavelet, a stream or a word of SRAM shows in the
// loss. The untimed reference says what the loss would have been.

#include <bit>
#include <gtest/gtest.h>
#include <utility>

#include "models/system.h"
#include "sim/error.h"
#include "tests/support/pure_wafer.h"
#include "tests/support/small_model.h"
#include "workloads/kernels/colors.h"
#include "workloads/kernels/wafer_routes.h"

namespace wafersim::tests {
namespace {

using models::KernelCall;

TEST(HardwareWork, ThePesOfTheMainJobCountTheMultiplyAddsOfEveryLinear) {
  const Experiment experiment = make_experiment(main_job());
  const models::WaferPlan plan = experiment.plan();
  PureWafer wafer(experiment.machine, plan, experiment.store, experiment.training);
  const models::StepResult step = wafer.run_step(experiment.batch(0));
  const auto macs = [&](const std::string& phase) {
    std::uint64_t sum = 0;
    for (std::size_t k = 0; k < plan.calls.size(); ++k) {
      const KernelCall& call = plan.calls[k];
      if ((call.kernel == "linear" || call.kernel == "loss") && call.phase == phase) sum += step.statistics.calls[k].macs;
    }
    return sum;
  };
  // 128 tokens; per layer 64 x 192, 64 x 64, 64 x 256 and 256 x 64 weights; 256 x 64 of the unembedding.
  const std::uint64_t linears = 128 * (2 * (64 * 192 + 64 * 64 + 2 * 64 * 256) + 256 * 64);
  EXPECT_EQ(linears, 14'680'064u);
  EXPECT_EQ(macs("forward"), linears);
  EXPECT_EQ(macs("input_gradient"), linears);
  EXPECT_EQ(macs("weight_gradient"), linears);
}

// Two heads of two columns, four rows.
class Fault : public testing::Test {
 protected:
  // When each call of the first step runs.
  std::vector<models::CallRecord> calls() const {
    PureWafer wafer(experiment_.machine, plan_, experiment_.store, experiment_.training);
    return wafer.run_step(experiment_.batch(0)).statistics.calls;
  }
  double true_loss() const {
    const memoryx::StepBatch batch = experiment_.batch(0);
    return experiment_.reference().step(batch.tokens, batch.targets).loss;
  }
  std::size_t call(const std::string& kernel, const std::string& phase) const {
    std::size_t k = 0;
    while (plan_.calls[k].kernel != kernel || plan_.calls[k].phase != phase) ++k;
    return k;
  }

  Experiment experiment_ = make_experiment(SmallModel{});
  models::WaferPlan plan_ = experiment_.plan();
};

TEST_F(Fault, WithoutOneTheLossIsThatOfTheReference) {
  models::System system(experiment_.machine, plan_, experiment_.store, experiment_.training, {});
  EXPECT_EQ(system.run_step(experiment_.batch(0)).loss, true_loss());
}

TEST_F(Fault, OneFlippedBitOfOneWeightWaveletChangesTheLoss) {
  const fabric::Cycle from = calls()[call("linear", "forward")].first_start;
  models::System system(experiment_.machine, plan_, experiment_.store, experiment_.training, {});
  system.flip_wavelet(from, {1, 2}, workloads::color_wv, 1u << 22);
  const double loss = system.run_step(experiment_.batch(0)).loss;
  EXPECT_EQ(system.faults_left(), 0);
  EXPECT_NE(loss, true_loss());
}

TEST_F(Fault, OneDroppedWeightWaveletStallsAndTheErrorNamesPeAndColor) {
  const fabric::Cycle from = calls()[call("linear", "forward")].first_start;
  models::System system(experiment_.machine, plan_, experiment_.store, experiment_.training, {});
  system.drop_wavelet(from, {1, 2}, workloads::color_wv);
  try {
    system.run_step(experiment_.batch(0));
    FAIL() << "the step ended";
  } catch (const sim::Error& error) {
    EXPECT_EQ(error.category(), sim::ErrorCategory::stall);
    const std::string text = error.what(), first = text.substr(0, text.find('\n'));
    EXPECT_NE(first.find("PE ("), std::string::npos) << text;
    EXPECT_NE(first.find("color "), std::string::npos) << text;
    // The PE that lacks the word.
    EXPECT_NE(text.find("PE (1, 2) waits for a wavelet of color " + std::to_string(workloads::color_wv)), std::string::npos) << text;
  }
  EXPECT_EQ(system.faults_left(), 0);
}

TEST_F(Fault, TheWeightsOfTwoColumnsInExchangeChangeTheLoss) {
  using workloads::weight_port;
  const memoryx::Port first = weight_port(experiment_.lowering.layout, 0), second = weight_port(experiment_.lowering.layout, 2);
  ASSERT_EQ(workloads::weight_color(0), workloads::weight_color(2));
  for (memoryx::StreamWord& word : plan_.calls[call("linear", "forward")].stream.in)
    if (word.color == workloads::weight_color(0) && (word.port == first || word.port == second))
      word.port = word.port == first ? second : first;
  PureWafer wafer(experiment_.machine, plan_, experiment_.store, experiment_.training);
  EXPECT_NE(wafer.run_step(experiment_.batch(0)).loss, true_loss());
}

TEST_F(Fault, OneOverwrittenActivationChangesTheLoss) {
  const std::vector<models::CallRecord> times = calls();
  const std::size_t norm = call("layer_norm", "forward");
  ASSERT_EQ(norm, call("embedding", "forward") + 1);
  int address = -1;  // of what the norm reads
  for (const models::SramMap::Region& region : plan_.sram.regions)
    if (region.name == experiment_.graph.tensors[static_cast<std::size_t>(experiment_.graph.ops[norm].inputs[0])].name)
      address = region.address;
  ASSERT_GE(address, 0);
  models::System system(experiment_.machine, plan_, experiment_.store, experiment_.training, {});
  const float wrong = 3.0f;
  const std::array<std::uint8_t, 4> bytes = std::bit_cast<std::array<std::uint8_t, 4>>(wrong);
  system.write_sram(times[norm].first_start, {2, 1}, address, {bytes.begin(), bytes.end()});
  const double loss = system.run_step(experiment_.batch(0)).loss;
  EXPECT_EQ(system.faults_left(), 0);
  EXPECT_NE(loss, true_loss());
}

}  // namespace
}  // namespace wafersim::tests
