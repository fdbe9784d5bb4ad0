// Sampled times stand for simulated ones: a step whose weights are always there, wavelet by wavelet, against samples of its ops.
// A call counts from its first PE's start to its last PE's completion, its period to the first PE's start of the next call.

#include "workloads/sampling/kernel_sampler.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <set>
#include <string>
#include <vector>

#include "models/machine_config.h"
#include "tests/support/pure_wafer.h"
#include "tests/support/small_model.h"
#include "workloads/kernels/lower_alone.h"
#include "workloads/sampling/measure_calls.h"

namespace wafersim::tests {
namespace {

using workloads::KernelSampler;
using workloads::KernelTime;

struct Compared {
  models::WaferPlan plan;
  models::StepResult step;
  std::vector<KernelTime> times;
  std::vector<workloads::SampleReport> reports;

  std::size_t calls() const { return times.size(); }
  const models::CallRecord& record(std::size_t k) const { return step.statistics.calls[k]; }
  double active(std::size_t k) const { return static_cast<double>(record(k).last_done - record(k).first_start); }
  double period(std::size_t k) const { return static_cast<double>(record(k + 1).first_start - record(k).first_start); }
  std::string name(std::size_t k) const { return plan.calls[k].kernel + " " + plan.calls[k].phase; }
};

template <class Change>
Compared compare(const SmallModel& model, Change&& change) {
  Experiment experiment = make_experiment(model);
  change(experiment.machine);
  KernelSampler sampler(experiment.machine, {}, 2, 0);  // extends, though these meshes are no dearer than samples
  Compared r;
  r.times = sampler.times(experiment.lowering, experiment.graph);
  r.reports = sampler.reports();
  r.plan = experiment.plan();
  make_link_free(experiment.machine);
  r.step = PureWafer(experiment.machine, r.plan, experiment.store, experiment.training).run_step(experiment.batch(0));
  return r;
}

Compared compare(const SmallModel& model) {
  return compare(model, [](models::MachineSpec&) {});
}

// 2 %, or 40 cycles of what takes less than 2,000.
void expect_close(double sampled, double simulated, const std::string& what) {
  EXPECT_NEAR(sampled, simulated, std::max(40.0, 0.02 * simulated)) << what;
}

void expect_sampled_is_simulated(const Compared& r) {
  fmt::print("{:3} {:26} {:>9} {:>9} {:>8}  {:>9} {:>9} {:>8}\n", "", "call", "active", "sampled", "error", "period", "sampled", "error");
  ASSERT_EQ(r.times.size(), r.plan.calls.size());
  double simulated = 0, sampled = 0;
  for (std::size_t k = 0; k < r.calls(); ++k) {
    const KernelTime& time = r.times[k];
    const auto percent = [](double a, double b) { return 100 * (a / b - 1); };
    fmt::print("{:3} {:26} {:9.0f} {:9.1f} {:7.2f}%", k, r.name(k), r.active(k), time.active, percent(time.active, r.active(k)));
    expect_close(time.active, r.active(k), fmt::format("active cycles of call {}, {}", k, r.name(k)));
    EXPECT_EQ(time.macs, static_cast<double>(r.record(k).macs)) << "call " << k << ", " << r.name(k);
    simulated += r.active(k);
    sampled += time.active;
    if (k + 1 < r.calls()) {
      fmt::print("  {:9.0f} {:9.1f} {:7.2f}%", r.period(k), time.period, percent(time.period, r.period(k)));
      expect_close(time.period, r.period(k), fmt::format("period of call {}, {}", k, r.name(k)));
    }
    fmt::print("\n");
  }
  fmt::print("all calls: {:.0f} simulated, {:.0f} sampled, {:.2f}%\n", simulated, sampled, 100 * (sampled / simulated - 1));
  EXPECT_NEAR(sampled, simulated, 0.01 * simulated);
  for (const workloads::SampleReport& report : r.reports) EXPECT_LE(report.residual, 0.01) << report.op;
}

TEST(KernelSampler, TimesOfTheMainJobsCallsAreThoseOfItsWavelets) { expect_sampled_is_simulated(compare(main_job())); }

TEST(KernelSampler, TimesAreThoseOfWaveletsInSinglePrecision) {
  SmallModel model = main_job();
  model.type = sim::Dtype::f32;
  model.layers = 1;
  expect_sampled_is_simulated(compare(model));
}

TEST(KernelSampler, TimesAreThoseOfWaveletsOnTwoLanesWithPaddingAndSeveralChunks) {
  SmallModel model;
  model.vocabulary = 90;
  model.width = 36;
  model.heads = 3;
  model.columns_per_head = 2;
  model.batch = 3;
  model.sequence = 21;
  model.lanes = 2;
  model.rows = 14;
  model.loss_outputs_per_pe = 4;
  model.type = sim::Dtype::f16;
  expect_sampled_is_simulated(compare(model));
}

TEST(KernelSampler, TimesAreThoseOfWaveletsOnThreeLanes) {
  SmallModel model;
  model.vocabulary = 128;
  model.width = 48;
  model.heads = 2;
  model.columns_per_head = 4;
  model.batch = 6;
  model.sequence = 30;
  model.lanes = 3;
  model.rows = 12;
  model.type = sim::Dtype::f16;
  expect_sampled_is_simulated(compare(model));
}

TEST(KernelSampler, TimesAreThoseOfWaveletsOnFiveLanesInSinglePrecision) {
  SmallModel model;
  model.vocabulary = 64;
  model.width = 32;
  model.heads = 4;
  model.columns_per_head = 1;
  model.batch = 5;
  model.sequence = 32;
  model.lanes = 5;
  model.rows = 16;
  model.tied = false;
  expect_sampled_is_simulated(compare(model));
}

TEST(KernelSampler, TimesAreThoseOfWaveletsOnAMeshMuchHigherThanWide) {
  SmallModel model;
  model.width = 24;
  model.heads = 2;
  model.columns_per_head = 1;
  model.batch = 4;
  model.sequence = 40;
  model.rows = 40;
  model.type = sim::Dtype::f16;
  expect_sampled_is_simulated(compare(model));
}

TEST(KernelSampler, TimesAreThoseOfWaveletsWithRotatedHeadsAndParallelResidual) {
  SmallModel model;
  model.family = workloads::Family::gptj;
  model.vocabulary = 96;
  model.width = 48;
  model.heads = 3;
  model.columns_per_head = 4;
  model.rotary = 8;
  model.batch = 2;
  model.sequence = 30;
  model.lanes = 2;
  model.rows = 12;
  model.type = sim::Dtype::f16;
  expect_sampled_is_simulated(compare(model));
}

TEST(KernelSampler, TimesAreThoseOfWaveletsWhereAllTokensSeeEachOther) {
  SmallModel model;
  model.family = workloads::Family::bert;
  model.vocabulary = 96;
  model.width = 48;
  model.heads = 3;
  model.columns_per_head = 4;
  model.batch = 2;
  model.sequence = 46;  // 8 rows of 6 tokens, two of them padding
  model.lanes = 2;
  model.rows = 12;
  model.rows_per_sequence = 8;
  model.type = sim::Dtype::f16;
  expect_sampled_is_simulated(compare(model));
}

TEST(KernelSampler, TimesAreThoseOfWaveletsWithSharedKeysAndRecompute) {
  SmallModel model;
  model.family = workloads::Family::llama;
  model.vocabulary = 96;
  model.width = 40;
  model.heads = 8;
  model.kv_heads = 4;
  model.columns_per_head = 2;
  model.rotary = 4;
  model.inner = 88;
  model.tied = false;
  model.recompute = true;
  model.batch = 2;
  model.sequence = 32;
  model.rows = 16;
  model.type = sim::Dtype::f16;
  expect_sampled_is_simulated(compare(model));
}

// On a low mesh the row of the first feeder is the last to complete.
TEST(KernelSampler, AForwardNormOfAHighMeshWaitsForItsLastRow) {
  SmallModel model;
  model.family = workloads::Family::llama;
  model.heads = 96;
  model.columns_per_head = 1;
  model.width = 96 * 13;
  model.rows = 149;
  model.batch = 1;
  model.sequence = 149 * 23;
  model.type = sim::Dtype::f16;
  const Experiment e = make_experiment(model);
  const auto norm = std::find_if(e.graph.ops.begin(), e.graph.ops.end(),
                                 [](const workloads::TrainingOp& op) { return op.kind == workloads::TrainingKind::rms_norm; });
  ASSERT_NE(norm, e.graph.ops.end());
  const KernelTime sampled = KernelSampler(e.machine, {}, 2, 0).times(e.lowering, {e.graph.tensors, {*norm}}).at(0);
  const auto op = static_cast<std::size_t>(norm - e.graph.ops.begin());
  const auto simulated = workloads::measure_calls(workloads::lower_alone(e.lowering, e.graph, op, e.machine.sram), e.machine).at(0);
  fmt::print("{} simulated, {:.1f} sampled\n", simulated.active, sampled.active);
  EXPECT_NEAR(sampled.active, simulated.active, 0.01 * simulated.active);
  EXPECT_NEAR(sampled.period, simulated.period, 0.02 * simulated.period);
}

// Its period grows faster behind some twelve columns of fifteen rows each, where a start's way down them takes longer than its work.
TEST(KernelSampler, AShortLinearOfAHighMeshIsSampledWhereItsTimesBend) {
  SmallModel model;
  model.heads = 4;
  model.columns_per_head = 7;
  model.width = 28 * 2;
  model.rows = 28 * 15;
  model.batch = 1;
  model.sequence = model.rows * 2;
  model.type = sim::Dtype::f16;
  const Experiment e = make_experiment(model);
  const auto is_linear = [](const workloads::TrainingOp& op) { return op.kind == workloads::TrainingKind::linear; };
  const auto first = std::find_if(e.graph.ops.begin(), e.graph.ops.end(), is_linear);
  const auto linear = std::find_if(first + 1, e.graph.ops.end(), is_linear);  // attention's output
  ASSERT_NE(linear, e.graph.ops.end());
  const KernelTime sampled = KernelSampler(e.machine, {}, 2, 0).times(e.lowering, {e.graph.tensors, {*linear}}).at(0);
  const auto op = static_cast<std::size_t>(linear - e.graph.ops.begin());
  const auto simulated = workloads::measure_calls(workloads::lower_alone(e.lowering, e.graph, op, e.machine.sram), e.machine).at(0);
  fmt::print("period {} simulated, {:.1f} sampled; active {}, {:.1f}\n", simulated.period, sampled.period, simulated.active,
             sampled.active);
  EXPECT_NEAR(sampled.period, simulated.period, 0.02 * simulated.period);
}

TEST(KernelSampler, AnOpThatIsNoDearerThanSamplesIsTimedOnItsOwnMesh) {
  const Experiment e = make_experiment(eight_columns());
  KernelSampler sampler(e.machine, {}, 2);
  sampler.times(e.lowering, e.graph);
  for (const workloads::SampleReport& report : sampler.reports()) {
    ASSERT_EQ(report.meshes.size(), 1u) << report.op;
    EXPECT_EQ(report.meshes[0], workloads::mesh_of(e.lowering)) << report.op;
  }
}

using Machine = models::MachineSpec;
struct Constant {
  const char* key;
  void (*change)(Machine&);
  bool moves = true;  // the step of the test's model
};
const std::vector<Constant>& constants() {
  static const std::vector<Constant> all = {
      {"fabric.hop_cycles", [](Machine& m) { m.fabric.hop_cycles = 3; }},
      {"fabric.ramp_cycles", [](Machine& m) { m.fabric.ramp_cycles = 5; }},
      {"fabric.router_queue_words", [](Machine& m) { m.fabric.router_queue_words = 1; }},
      {"core.issue_cycles", [](Machine& m) { m.core.issue_cycles = 3; }},
      {"core.weight_issue_cycles", [](Machine& m) { m.core.weight_issue_cycles = 2; }},
      {"core.output_switch_cycles", [](Machine& m) { m.core.output_switch_cycles = 25; }},
      {"core.task_switch_cycles", [](Machine& m) { m.core.task_switch_cycles = 30; }},
      {"core.scalar_cycles", [](Machine& m) { m.core.scalar_cycles = 3; }},
      {"core.loop_cycles", [](Machine& m) { m.core.loop_cycles = 9; }},
      {"core.accumulator_cache_bytes", [](Machine& m) { m.core.accumulator_cache_bytes = 4; }},
      {"core.rate.half", [](Machine& m) { m.core.rate.half = 1; }},
      {"core.rate.single", [](Machine& m) { m.core.rate.single = 1; }},
      {"core.rate.mixed_fma", [](Machine& m) { m.core.rate.mixed_fma = 1; }},
      {"core.rate.single_mul", [](Machine& m) { m.core.rate.single_mul = 0.5; }},
      {"core.rate.single_fma", [](Machine& m) { m.core.rate.single_fma = 0.5; }},
      {"core.rate.half_max", [](Machine& m) { m.core.rate.half_max = 0.5; }, false},
      {"core.rate.single_max", [](Machine& m) { m.core.rate.single_max = 0.5; }},
      {"core.rate.convert", [](Machine& m) { m.core.rate.convert = 0.25; }},
      {"core.rate.irregular_stride", [](Machine& m) { m.core.rate.irregular_stride = 0.25; }, false},
      {"core.function.exp", [](Machine& m) { m.core.function.exp = 30; }},
      {"core.function.log", [](Machine& m) { m.core.function.log = 60; }},
      {"core.function.tanh", [](Machine& m) { m.core.function.tanh = 40; }},
      {"core.function.erf", [](Machine& m) { m.core.function.erf = 60; }, false},
      {"core.function.sin", [](Machine& m) { m.core.function.sin = 60; }},
      {"core.function.cos", [](Machine& m) { m.core.function.cos = 60; }},
      {"core.function.rsqrt", [](Machine& m) { m.core.function.rsqrt = 60; }},
      {"core.function.recip", [](Machine& m) { m.core.function.recip = 60; }},
      {"core.input_queue_words", [](Machine& m) { m.core.input_queue_words = {1, 1, 1, 1, 1, 1, 1, 1}; }},
      {"core.output_queue_words", [](Machine& m) { m.core.output_queue_words = {1, 1, 1, 1, 1, 1, 1, 1}; }},
  };
  return all;
}

TEST(KernelSampler, EveryConstantOfRouterAndCoreIsChangedBelow) {
  const std::set<std::string> elsewhere = {"fabric.width", "fabric.height",          "core.clock",
                                           "sram.bytes",   "sram.instruction_bytes", "sram.descriptor_bytes"};
  std::set<std::string> changed = elsewhere;
  for (const Constant& constant : constants()) changed.insert(constant.key);
  for (const std::string& key : models::machine_keys()) {
    const bool of_a_pe = key.starts_with("fabric.") || key.starts_with("core.") || key.starts_with("sram.");
    EXPECT_TRUE(!of_a_pe || changed.count(key)) << key;
  }
}

TEST(KernelSampler, ChangedConstantsOfRouterAndCoreMoveBothAlike) {
  SmallModel model = eight_columns();  // with half the sides of a tile: a sample takes milliseconds
  model.family = workloads::Family::gptj;
  model.rotary = 4;
  model.vocabulary = model.width = 32;
  model.rows = 8;
  model.sequence = 16;
  model.batch = 1;
  const auto total = [](const Compared& r) {
    double simulated = 0, sampled = 0;
    for (std::size_t k = 0; k + 1 < r.calls(); ++k) {
      simulated += r.period(k);
      sampled += r.times[k].period;
    }
    return std::pair(simulated, sampled);
  };
  const auto [simulated, sampled] = total(compare(model));
  for (const Constant& constant : constants()) {
    const auto [changed_simulated, changed_sampled] = total(compare(model, constant.change));
    const double by_wavelets = changed_simulated - simulated, by_samples = changed_sampled - sampled;
    fmt::print("{:30} {:+8.0f} cycles simulated, {:+8.0f} sampled\n", constant.key, by_wavelets, by_samples);
    EXPECT_EQ(by_wavelets != 0, constant.moves) << constant.key;
    EXPECT_NEAR(by_samples, by_wavelets, 0.03 * std::abs(by_wavelets) + 40) << constant.key;
  }
}

TEST(KernelSampler, SharesAddUpAndBusyCyclesAndHopsAreNearThoseOfTheWavelets) {
  const Compared r = compare(main_job());
  const double pes = static_cast<double>(r.plan.width) * r.plan.height;
  double simulated_busy = 0, sampled_busy = 0, sampled_hops = 0;
  for (std::size_t k = 0; k < r.calls(); ++k) {
    const KernelTime& time = r.times[k];
    double sum = 0;
    for (const double share : time.share) {
      EXPECT_GE(share, 0.0);
      sum += share;
    }
    EXPECT_NEAR(sum, 1, 1e-9) << r.name(k);
    simulated_busy += static_cast<double>(models::busy_cycles(r.record(k).cycles) + models::busy_cycles(r.record(k).switch_cycles));
    sampled_busy += models::busy_cycles(time.share) * time.period * pes;
    sampled_hops += time.hops;
  }
  EXPECT_NEAR(sampled_busy, simulated_busy, 0.01 * simulated_busy);
  const double hops = static_cast<double>(r.step.statistics.hops);
  fmt::print("busy {:.0f} simulated, {:.0f} sampled; hops {:.0f}, {:.0f}\n", simulated_busy, sampled_busy, hops, sampled_hops);
  EXPECT_NEAR(sampled_hops, hops, 0.02 * hops);
}

}  // namespace
}  // namespace wafersim::tests
