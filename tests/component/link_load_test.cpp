// The words that a call's outline counts on each channel are those of the stream that lowering makes.

#include "workloads/link_load.h"

#include <gtest/gtest.h>
#include <map>

#include "tests/support/measured_schedule.h"
#include "workloads/step_schedule.h"

namespace wafersim::tests {
namespace {

// How many ports of a channel have how many words ahead and others.
using Ports = std::map<std::pair<double, double>, double>;
std::vector<Ports> ports_of(const std::vector<models::LinkLoad::Channel>& channels) {
  std::vector<Ports> all;
  for (const models::LinkLoad::Channel& channel : channels) {
    all.emplace_back();
    for (const models::LinkLoad::Part& part : channel.parts) {
      if (part.all() > 0) all.back()[{part.ahead(), part.others()}] += part.ports;
      EXPECT_EQ(part.queue, 5);
    }
  }
  return all;
}

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
  SmallModel gptj = padded;
  gptj.family = workloads::Family::gptj;
  SmallModel bert = half;
  bert.family = workloads::Family::bert;
  for (const SmallModel& model : {SmallModel{}, padded, half, gptj, bert, main_job()}) {
    const Experiment experiment = make_experiment(model);
    const models::WaferPlan plan = experiment.plan();
    const memoryx::LinkTiming link = memoryx::make_link_timing(experiment.machine.io, experiment.machine.core.clock, plan.height);
    const std::vector<workloads::CallOutline> outlines = workloads::outline_calls(experiment.lowering, experiment.graph);
    const workloads::LinkLoads loads(experiment.lowering, link);
    ASSERT_EQ(outlines.size(), plan.calls.size());
    for (std::size_t k = 0; k < outlines.size(); ++k) {
      const models::LinkLoad got = loads.of(outlines[k], {5, 0});
      const models::LinkLoad expected = stream_load(plan.calls[k].stream, link, 5);
      EXPECT_EQ(got.own_in, expected.own_in) << "call " << k << " " << plan.calls[k].kernel;
      EXPECT_EQ(got.own_ahead, expected.own_ahead) << "call " << k << " " << plan.calls[k].kernel;
      EXPECT_EQ(got.own_out, expected.own_out) << "call " << k << " " << plan.calls[k].kernel;
      EXPECT_EQ(ports_of(got.in), ports_of(expected.in)) << "call " << k << " " << plan.calls[k].kernel;
      EXPECT_EQ(ports_of(got.out), ports_of(expected.out)) << "call " << k << " " << plan.calls[k].kernel;
    }
  }
}

using Uses = std::map<int, double>;
Uses elements(const std::vector<memoryx::TensorUse>& uses) {
  Uses all;
  for (const memoryx::TensorUse& use : uses) all[use.tensor] += use.elements;
  return all;
}

TEST(StepSchedule, ReadsAndMakesTheElementsThatTheStreamsCarry) {
  SmallModel chunks;
  chunks.vocabulary = 37;
  chunks.loss_outputs_per_pe = 2;
  SmallModel untied = chunks;
  untied.tied = false;
  for (const SmallModel& model : {SmallModel{}, chunks, untied}) {
    const Experiment experiment = make_experiment(model);
    const models::WaferPlan plan = experiment.plan();
    const models::StepSchedule expected = measured_schedule(experiment, plan);
    std::vector<workloads::CallTime> times;
    for (const models::ScheduledCall& call : expected.calls) times.push_back({call.active_cycles, call.period_cycles});
    const models::StepSchedule got =
        workloads::make_schedule(experiment.lowering, experiment.graph, times, experiment.machine, plan.edge_queue_words);
    EXPECT_EQ(got.tensor_elements, expected.tensor_elements);
    ASSERT_EQ(got.calls.size(), expected.calls.size());
    for (std::size_t k = 0; k < got.calls.size(); ++k) {
      EXPECT_EQ(elements(got.calls[k].reads), elements(expected.calls[k].reads)) << "call " << k << " " << got.calls[k].kernel;
      EXPECT_EQ(elements(got.calls[k].gradients), elements(expected.calls[k].gradients)) << "call " << k << " " << got.calls[k].kernel;
      EXPECT_EQ(got.calls[k].active_cycles, expected.calls[k].active_cycles);
    }
  }
}

// A family's matrices lie [in][out] or [out][in]: one of the two passes reads them as they lie, the other a part of each row at a time.
TEST(StepSchedule, ReadsAcrossItsRowsAMatrixWhoseColumnsAreACallsOutputs) {
  for (const workloads::Family family : {workloads::Family::gpt2, workloads::Family::gptj}) {
    SmallModel model;
    model.family = family;
    const Experiment experiment = make_experiment(model);
    const std::size_t calls = workloads::outline_calls(experiment.lowering, experiment.graph).size();
    const models::StepSchedule schedule =
        workloads::make_schedule(experiment.lowering, experiment.graph, std::vector<workloads::CallTime>(calls), experiment.machine, 5);
    int matrices = 0;
    for (const models::ScheduledCall& call : schedule.calls) {
      if (call.kernel != "linear" || call.layer < 0 || call.reads.empty()) continue;
      if (call.phase != "forward" && call.phase != "input_gradient") continue;
      const memoryx::ParameterEntry& entry = experiment.store.table().entries()[static_cast<std::size_t>(call.reads[0].tensor)];
      const bool across = (family == workloads::Family::gpt2) == (call.phase == "forward");
      EXPECT_EQ(call.reads[0].run, across ? entry.shape[1] / 16.0 : 0) << entry.name << " " << call.phase;
      ++matrices;
    }
    EXPECT_GT(matrices, 4);
  }
}

}  // namespace
}  // namespace wafersim::tests
