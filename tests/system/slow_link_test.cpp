// The main job behind a thousandth of its I/O bandwidth: a step takes its bytes over the rate. Which bytes follow one another is a matter
// of the edge queues.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/program.h"

namespace wafersim::tests {
namespace {

// Of the step's words on the busiest channel, in cycles.
struct LinkCycles {
  double in = 0, out = 0;
  double in_before_gradients = 0;  // for the kernels up to the first weight gradient
};

const std::string slow_main_job = "main --set 'io.bandwidth=\"2.5 MB/s\"'";  // 2.5 GB/s over the two channels of 16 rows

LinkCycles planned() {
  const nlohmann::json plan = nlohmann::json::parse(wafersim("plan " + slow_main_job + " --json").out);
  LinkCycles cycles;
  bool before = true;
  for (const nlohmann::json& call : plan["calls"]) {
    before = before && call["phase"] != "weight_gradient";
    cycles.in += call["link_cycles_in"].get<double>();
    cycles.out += call["link_cycles_out"].get<double>();
    if (before) cycles.in_before_gradients += call["link_cycles_in"].get<double>();
  }
  return cycles;
}

double simulated(int edge_queue_words) {
  const Folder folder("slow_link");
  const Outcome outcome = wafersim(fmt::format("run {} --set io.edge_queue_words={} --steps 1 --json --out {}", slow_main_job,
                                               edge_queue_words, folder.path().string()));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  return nlohmann::json::parse(outcome.out)["step"]["cycles"];
}

void expect_within_two_percent(double cycles, double bytes_over_rate) {
  fmt::print("{:.0f} cycles, bytes over rate {:.0f}: {:+.2f} %\n", cycles, bytes_over_rate, 100 * (cycles / bytes_over_rate - 1));
  EXPECT_NEAR(cycles, bytes_over_rate, 0.02 * bytes_over_rate);
}

// A kernel's weights are asked for when it runs, and the next one starts when its gradients have nearly gone.
TEST(SlowLink, WithShallowEdgeQueuesAllBytesInAndOutFollowOneAnother) {
  const LinkCycles link = planned();
  expect_within_two_percent(simulated(4), link.in + link.out);
}

// Weights come while gradients leave; the first gradient follows the forward weights.
TEST(SlowLink, WithEdgeQueuesThatHoldAStepTheGradientsFollowTheWeightsBeforeTheFirst) {
  const LinkCycles link = planned();
  expect_within_two_percent(simulated(65536), link.in_before_gradients + link.out);
}

}  // namespace
}  // namespace wafersim::tests
