// The words that a call's outline counts on each channel are those of the stream that lowering makes.

#include "workloads/link_load.h"

#include <gtest/gtest.h>

#include "tests/support/measured_schedule.h"

namespace wafersim::tests {
namespace {

TEST(LinkLoad, IsThatOfTheStreamsThatLoweringMakes) {
  SmallModel padded;  // features, tokens and vocabulary that do not divide; chunks of the vocabulary; two lanes
  padded.width = 40;
  padded.vocabulary = 37;
  padded.rows = 24;  // two channels an edge
  padded.columns_per_head = 3;
  padded.lanes = 2;
  padded.batch = 3;
  padded.sequence = 7;
  padded.loss_outputs_per_pe = 2;
  SmallModel half = padded;
  half.type = sim::Dtype::f16;
  for (const SmallModel& model : {SmallModel{}, padded, half, main_job()}) {
    const Experiment experiment = make_experiment(model);
    const models::WaferPlan plan = experiment.plan();
    const memoryx::LinkTiming link = memoryx::make_link_timing(experiment.machine.io, experiment.machine.core.clock, plan.height);
    const std::vector<workloads::CallOutline> outlines = workloads::outline_calls(experiment.lowering, experiment.graph);
    ASSERT_EQ(outlines.size(), plan.calls.size());
    for (std::size_t k = 0; k < outlines.size(); ++k) {
      models::LinkLoad got = workloads::link_load(outlines[k], experiment.lowering, link, 5);
      const models::LinkLoad expected = stream_load(plan.calls[k].stream, link, 5);
      if (k == 0) got.in[0].words += 1;  // the host's start
      for (std::size_t c = 0; c < got.in.size(); ++c) {
        EXPECT_EQ(got.in[c].words, expected.in[c].words) << "call " << k << " " << plan.calls[k].kernel << " channel " << c;
        EXPECT_EQ(got.out[c].words, expected.out[c].words) << "call " << k << " " << plan.calls[k].kernel << " channel " << c;
        EXPECT_EQ(got.in[c].queue, expected.in[c].queue) << "call " << k << " " << plan.calls[k].kernel << " channel " << c;
        EXPECT_EQ(got.out[c].queue, expected.out[c].queue) << "call " << k << " " << plan.calls[k].kernel << " channel " << c;
      }
    }
  }
}

}  // namespace
}  // namespace wafersim::tests
