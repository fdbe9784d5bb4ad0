// The lower bound of a step: the work it counts, what it names, and that no simulated step is faster.

#include "workloads/roofline.h"

#include <gtest/gtest.h>

#include "tests/workloads/small_run.h"
#include "workloads/call_traffic.h"
#include "workloads/graph.h"

namespace wafersim::workloads {
namespace {

struct Mapped {
  RunSpec run;
  Mapping mapping;
};

Mapped map_main_job(const std::vector<sim::Override>& overrides = {}) {
  Mapped made{read_run_spec("main", overrides, "."), {}};
  made.mapping = map_run(made.run);
  return made;
}

Bound bound_of(const RunSpec& run, const Mapping& mapping) {
  return bound_step(lowering_spec(mapping, run, run.model.shape), differentiate(build_model(run.model.shape)), run.machine,
                    run.training.update);
}

Bound bound_of(const Mapped& mapped) { return bound_of(mapped.run, mapped.mapping); }

sim::Override set(const std::string& key, const std::string& value) { return {key, value, "--set " + key + "=" + value}; }

TEST(Roofline, CountsTheWorkOfTheMainJob) {
  const Bound bound = bound_of(map_main_job());
  const double linears = 14680064;            // the unembedding's among them
  const double attention = 32 * 33 * 4 * 64;  // pairs in two layers, samples, width: one product of queries and keys
  EXPECT_EQ(bound.forward.work.macs, linears + 2 * attention);
  EXPECT_EQ(bound.backward.work.macs, 2 * linears + 4 * attention);
  EXPECT_EQ(bound.macs_per_cycle, 2 * 256);
  // Two passes of the matrices, three of the unembedding, with biases, norms and rows of tokens.
  const double matrices = 2 * (12 * 64 * 64), unembedding = 256 * 64, biases = 2 * 9 * 64, norm = 5 * 64, rows = 2 * 128 * 64;
  EXPECT_EQ(bound.forward.work.bytes_in, 2 * (matrices + biases + unembedding + 2 * norm + rows));
  EXPECT_EQ(bound.backward.work.bytes_in, 2 * (matrices + 2 * unembedding + norm));
  EXPECT_EQ(bound.backward.work.bytes_out, 4 * (matrices + biases + unembedding + 2 * norm + rows / 2));
  EXPECT_EQ(bound.by, BoundBy::gradient_stream);
}

TEST(Roofline, IsComputeBehindAFastLink) {
  const Bound bound = bound_of(map_main_job({set("io.bandwidth", "\"100 TB/s\"")}));
  EXPECT_EQ(bound.by, BoundBy::compute);
  EXPECT_DOUBLE_EQ(bound.skipped_cycles, (bound.forward.work.macs + bound.backward.work.macs) / 512);
  EXPECT_EQ(bound.cycles, bound.skipped_cycles);  // forward kernels hide the update
}

TEST(Roofline, IsTheFabricOrSramWhereCoresMultiplyFaster) {
  const sim::Override link = set("io.bandwidth", "\"100 TB/s\""), rate = set("core.rate.mixed_fma", "64");
  const Bound fabric = bound_of(map_main_job({link, rate, set("training.batch", "1")}));  // 4 features a PE
  EXPECT_EQ(fabric.by, BoundBy::fabric);
  EXPECT_DOUBLE_EQ(fabric.cycles, fabric.forward.needs.fabric + fabric.backward.needs.fabric);
  const Bound sram = bound_of(map_main_job({link, rate, set("fabric.width", "4"), set("sram.bytes", "1000000")}));
  EXPECT_EQ(sram.by, BoundBy::sram);  // 16 features a PE
  EXPECT_DOUBLE_EQ(sram.cycles, sram.forward.needs.sram + sram.backward.needs.sram);
}

TEST(Roofline, OfAStepNeedsWhatItsCallsNeed) {
  const Mapped mapped = map_main_job({set("mapping.micro_batches", "2")});
  CallBound sum;
  for (const CallBound& call : bound_calls(lowering_spec(mapped.mapping, mapped.run, mapped.run.model.shape),
                                           differentiate(build_model(mapped.run.model.shape)), mapped.run.machine))
    sum += call * 2;
  const Bound bound = bound_of(mapped);
  CallBound needs = bound.forward.needs;
  needs += bound.backward.needs;
  EXPECT_NEAR(needs.sram, sum.sram, 1e-9 * sum.sram);
  EXPECT_NEAR(needs.fabric, sum.fabric, 1e-9 * sum.fabric);
  EXPECT_NEAR(needs.weight_stream, sum.weight_stream, 1e-9 * sum.weight_stream);
  EXPECT_NEAR(needs.gradient_stream, sum.gradient_stream, 1e-9 * sum.gradient_stream);
}

TEST(Roofline, DoesNotCountPadding) {
  const Mapped whole = map_main_job(), padded = map_main_job({set("mapping.tokens_per_pe", "11")});
  ASSERT_GT(padded.mapping.padding.token_slots, 0);
  EXPECT_EQ(bound_of(whole).cycles, bound_of(padded).cycles);
}

TEST(Roofline, PutsTheUpdateBeforeTheBackwardKernelsWhereItWaitsForTheLastGradient) {
  Mapped mapped = map_main_job({set("memoryx.optimizer_rate", "1e6")});
  const Bound waits = bound_of(mapped);
  EXPECT_TRUE(waits.updates_wait);
  EXPECT_EQ(waits.by, BoundBy::optimizer);
  EXPECT_NEAR(waits.optimizer_cycles, 120576 * 850.0, 1);
  EXPECT_DOUBLE_EQ(waits.cycles, waits.optimizer_cycles + waits.backward.needs.gradient_stream);
  mapped.run.training.update.clip = 0;
  mapped.run.training.update.loss_scale.dynamic = false;
  const Bound overlaps = bound_of(mapped);
  EXPECT_FALSE(overlaps.updates_wait);
  EXPECT_EQ(overlaps.by, BoundBy::optimizer);
  EXPECT_EQ(overlaps.cycles, overlaps.optimizer_cycles);
  EXPECT_EQ(overlaps.skipped_cycles, waits.skipped_cycles);
}

TEST(Roofline, OfCallsIsTheirMultiplyAdds) {
  const Mapped mapped = map_main_job();
  const std::vector<CallBound> bounds = bound_calls(lowering_spec(mapped.mapping, mapped.run, mapped.run.model.shape),
                                                    differentiate(build_model(mapped.run.model.shape)), mapped.run.machine);
  const models::WaferPlan plan = plan_of(mapped.run, mapped.mapping);
  ASSERT_EQ(bounds.size(), plan.calls.size());
  double sum = 0;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    EXPECT_LE(bounds[i].least(), plan.calls[i].closed_form_cycles) << i;
    sum += bounds[i].compute;
  }
  const Bound bound = bound_of(mapped);
  EXPECT_NEAR(sum, bound.forward.needs.compute + bound.backward.needs.compute, 1e-9 * sum);
}

// Simulates a step with this link and checks it against the bound; at least `tightness` of the step is explained by it.
void expect_no_faster(double bytes_per_second, double clip, double tightness) {
  RunSpec run = small_run();
  run.machine.io.bandwidth_override = bytes_per_second;
  run.training.update.clip = clip;
  const Mapping mapping = map_run(run);
  const models::StepResult step = simulate_step(run, plan_of(run, mapping));
  ASSERT_FALSE(step.skipped);
  const Bound bound = bound_of(run, mapping);
  const double simulated = static_cast<double>(step.last - step.first);
  EXPECT_LE(bound.cycles, simulated);
  EXPECT_GE(bound.cycles, tightness * simulated);
}

TEST(Roofline, IsNotAboveASimulatedStepOfAFastLink) { expect_no_faster(1e13, 1, 0.01); }
TEST(Roofline, IsNotAboveASimulatedStepOfASlowLink) { expect_no_faster(2e7, 1, 0.5); }
TEST(Roofline, IsNotAboveASimulatedStepThatUpdatesOnArrival) { expect_no_faster(1e9, 0, 0.1); }

TEST(CallTraffic, CountsWordsOfTheBusiestChannelAndPadding) {
  const memoryx::LinkTiming link = memoryx::make_link_timing({}, 850e6, 16);  // one channel an edge
  memoryx::CallStream stream;
  memoryx::StreamWord word;
  word.low.kind = memoryx::StreamValue::Kind::parameter;
  for (int i = 0; i < 3; ++i) stream.in.push_back(word);
  word.port.side = memoryx::Port::Side::east;
  word.low.kind = memoryx::StreamValue::Kind::zero;
  stream.in.push_back(word);
  stream.out.push_back({{memoryx::Port::Side::west, 5}, 0, {{memoryx::GradientWord::Kind::loss, 0, 0}, {}}});
  const CallTraffic traffic = traffic_of(stream, link);
  EXPECT_EQ(traffic.words_in, 4U);
  EXPECT_EQ(traffic.padding_in, 1U);
  EXPECT_EQ(traffic.words_out, 2U);
  EXPECT_EQ(traffic.padding_out, 1U);
  EXPECT_DOUBLE_EQ(traffic.cycles_in, 3 * 4 / link.bytes_per_cycle());
  EXPECT_DOUBLE_EQ(traffic.cycles_out, 2 * 4 / link.bytes_per_cycle());
}

}  // namespace
}  // namespace wafersim::workloads
