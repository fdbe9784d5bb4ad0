// The time of kernels is simulated: it follows the machine's parameters and stands near the closed forms (workloads/closed_form.h).
// A call counts from its first PE's start to its last PE's completion.

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/pure_wafer.h"
#include "tests/support/small_model.h"
#include "workloads/closed_form.h"

namespace wafersim::tests {
namespace {

using models::KernelCall;

struct Measured {
  models::WaferPlan plan;
  models::StepResult step;

  std::uint64_t start(std::size_t k) const { return step.statistics.calls[k].first_start; }
  std::uint64_t cycles(std::size_t k) const { return step.statistics.calls[k].last_done - start(k); }
  bool is(std::size_t k, const char* kernel, const char* phase) const {
    return plan.calls[k].kernel == kernel && plan.calls[k].phase == phase;
  }
};

// The first step of a model; `change` may alter the machine.
template <class Change>
Measured measure(const SmallModel& model, Change&& change) {
  Experiment experiment = make_experiment(model);
  Measured r{experiment.plan(), {}};
  change(experiment.machine);
  workloads::fill_closed_forms(r.plan, experiment.lowering, experiment.graph, experiment.machine);
  r.step = PureWafer(experiment.machine, r.plan, experiment.store, experiment.training).run_step(experiment.batch(0));
  return r;
}

// Bound by compute: 4 x 4 PEs with tiles of 8 tokens x 16 features and weights always there.
SmallModel compute_bound(sim::Dtype type) {
  SmallModel model;
  model.vocabulary = model.width = 64;
  model.batch = 1;
  model.sequence = 32;
  model.type = type;
  return model;
}

constexpr int columns = 4;

TEST(KernelTime, AnotherIssueCycleOfArrivingWeightsLengthensALinearByOneForEachOutputAndInputOfAPe) {
  const auto with_issue = [](int cycles) {
    return measure(compute_bound(sim::Dtype::f16), [cycles](models::MachineSpec& machine) {
      make_link_free(machine);
      machine.core.weight_issue_cycles = cycles;
    });
  };
  const Measured one = with_issue(1), two = with_issue(2);
  // N outputs of h inputs a PE; a forward's biases arrive like weights, one for each of a column's outputs.
  struct Linear {
    int outputs, inputs_a_pe;
  };
  const std::vector<Linear> forwards = {{192, 16}, {64, 16}, {256, 16}, {64, 64}},
                            backwards = {{64, 16}, {64, 64}, {256, 16}, {64, 16}, {64, 48}};
  std::size_t forward = 0, backward = 0;
  for (std::size_t k = 0; k < one.plan.calls.size(); ++k) {
    const double longer = static_cast<double>(two.cycles(k)) - static_cast<double>(one.cycles(k));
    if (one.is(k, "linear", "forward")) {
      const Linear l = forwards[forward++];
      EXPECT_EQ(longer, l.outputs * l.inputs_a_pe + l.outputs / columns) << "call " << k;
    } else if (one.is(k, "linear", "input_gradient")) {
      const Linear l = backwards[backward++];
      EXPECT_EQ(longer, l.outputs * l.inputs_a_pe) << "call " << k;
    }
  }
  EXPECT_EQ(forward, forwards.size());
  EXPECT_EQ(backward, backwards.size());
}

// 16 x 16 PEs with little to compute.
SmallModel wide() {
  SmallModel model;
  model.width = 32;
  model.heads = 4;
  model.columns_per_head = 4;
  model.rows = 16;
  model.batch = 1;
  model.sequence = 16;
  return model;
}

bool is_local(const KernelCall& call) { return call.kernel == "residual" || call.kernel == "gelu"; }

TEST(KernelTime, AnotherCycleAHopLengthensASwitchByTwiceTheWayAcrossTheMesh) {
  const auto with_hop = [](int cycles) {
    return measure(wide(), [cycles](models::MachineSpec& machine) { machine.fabric.hop_cycles = cycles; });
  };
  const Measured one = with_hop(1), two = with_hop(2);
  int calls = 0;
  for (std::size_t k = 0; k + 1 < one.plan.calls.size(); ++k) {
    if (!is_local(one.plan.calls[k])) continue;  // whose own work has no hops
    ++calls;
    // From start to start: the start goes out over W - 1 + H - 1 hops, completions come back over as many. A router that serves several
    // colors in turn may be a cycle early or late, for the start and for its arguments.
    const double longer = static_cast<double>(two.start(k + 1) - two.start(k)) - static_cast<double>(one.start(k + 1) - one.start(k));
    EXPECT_NEAR(longer, 2 * (16 + 16 - 2), 2) << "call " << k;
  }
  EXPECT_EQ(calls, 6);
}

TEST(KernelTime, ASwitchCostsTheWayAcrossTheMeshRampsAndTaskSwitches) {
  const Measured r = measure(wide(), [](models::MachineSpec&) {});
  Experiment experiment = make_experiment(wide());
  const double formula = workloads::kernel_switch_cycles(experiment.lowering.layout, experiment.machine);
  for (std::size_t k = 0; k + 1 < r.plan.calls.size(); ++k) {
    if (!is_local(r.plan.calls[k])) continue;
    const double cycles = static_cast<double>(r.start(k + 1) - r.step.statistics.calls[k].last_done);
    fmt::print("switch after {}: {} cycles, closed form {}\n", r.plan.calls[k].kernel, cycles, formula);
    EXPECT_NEAR(cycles, formula, 5) << "call " << k;
  }
}

// Largest distance to the closed form of each kind of linear, in percent, and the table.
std::map<std::string, double> compare(const Measured& r) {
  std::map<std::string, double> worst;
  fmt::print("{:3} {:12} {:16} {:>8} {:>12} {:>8}\n", "", "kernel", "phase", "cycles", "closed form", "error");
  for (std::size_t k = 0; k < r.plan.calls.size(); ++k) {
    const KernelCall& call = r.plan.calls[k];
    const double error = 100 * (static_cast<double>(r.cycles(k)) / call.closed_form_cycles - 1);
    fmt::print("{:3} {:12} {:16} {:8} {:12.0f} {:7.2f}%\n", k, call.kernel, call.phase, r.cycles(k), call.closed_form_cycles, error);
    EXPECT_GT(call.closed_form_cycles, 0.0);
    double& largest = worst[call.kernel + " " + call.phase];
    if (std::abs(error) > std::abs(largest)) largest = error;
  }
  return worst;
}

TEST(KernelTime, EachKernelStandsBesideItsClosedFormInSinglePrecision) {
  const auto worst = compare(measure(compute_bound(sim::Dtype::f32), make_link_free));
  EXPECT_NEAR(worst.at("linear forward"), 0, 1.5);          // biases are not in the form
  EXPECT_NEAR(worst.at("linear input_gradient"), 0, 0.65);  // some 70 cycles of start, arguments and first words
  EXPECT_NEAR(worst.at("linear weight_gradient"), 0, 5.0);
}

TEST(KernelTime, EachKernelStandsBesideItsClosedFormInHalfPrecision) {
  const auto worst = compare(measure(compute_bound(sim::Dtype::f16), make_link_free));
  EXPECT_NEAR(worst.at("linear forward"), 0, 4.5);  // rounding the sums is not in the form either
  EXPECT_NEAR(worst.at("linear input_gradient"), 0, 3.1);
  EXPECT_NEAR(worst.at("linear weight_gradient"), 0, 7.0);
  EXPECT_NEAR(worst.at("gelu forward"), 0, 1.0);
  EXPECT_NEAR(worst.at("attention forward"), 0, 6.0);
  EXPECT_NEAR(worst.at("attention gradient"), 0, 6.0);
}

TEST(KernelTime, AttentionToAllTokensStandsBesideItsClosedForm) {
  SmallModel model = compute_bound(sim::Dtype::f16);
  model.family = workloads::Family::bert;
  const auto worst = compare(measure(model, make_link_free));
  EXPECT_NEAR(worst.at("attention forward"), 0, 2.0);
  EXPECT_NEAR(worst.at("attention gradient"), 0, 3.0);
}

// 4 columns, a sequence a row; tiles of 8 tokens x 18 features.
SmallModel tall(int lanes, int rows) {
  SmallModel model;
  model.vocabulary = 16;
  model.width = 72;
  model.lanes = lanes;
  model.rows = rows;
  model.batch = lanes * rows;
  model.rows_per_sequence = 1;
  model.type = sim::Dtype::f16;
  return model;
}

// What the further outputs of the MLP's first matrix cost, which has 4 times the attention projection's 72 and as many inputs: free of the
// start and of the first sum's way.
double cycles_of_an_output(const Measured& r) {
  std::vector<double> gradients;  // unembedding, MLP's second and first matrix, projection, queries and keys and values
  for (std::size_t k = 0; k < r.plan.calls.size(); ++k)
    if (r.is(k, "linear", "weight_gradient")) gradients.push_back(static_cast<double>(r.cycles(k)));
  return (gradients.at(2) - gradients.at(3)) / (288 - 72);
}

TEST(KernelTime, AnOutputOfAWeightGradientTakesAsLongOnATallMeshAsOnALowOne) {
  const auto measured = [](int lanes, int rows) { return cycles_of_an_output(measure(tall(lanes, rows), make_link_free)); };
  const double low = measured(1, 8);
  for (const auto& [lanes, rows] : {std::pair{1, 32}, {1, 128}, {3, 32}}) {
    const double cycles = measured(lanes, rows);
    fmt::print("{} lanes of {} rows: {:.1f} cycles an output; a lane of 8 rows: {:.1f}\n", lanes, rows, cycles, low);
    EXPECT_NEAR(cycles, low, 0.01 * low) << lanes << " x " << rows;
  }
}

// Cycles that the words of a step take on the busiest channel of a direction.
struct LinkCycles {
  double in = 0, out = 0;
};
LinkCycles link_cycles(const Measured& r, const models::MachineSpec& machine) {
  const memoryx::LinkTiming timing = memoryx::make_link_timing(machine.io, machine.core.clock, r.plan.height);
  std::vector<double> in(static_cast<std::size_t>(timing.channels())), out = in;
  for (const KernelCall& call : r.plan.calls) {
    for (const memoryx::StreamWord& word : call.stream.in) in[static_cast<std::size_t>(timing.channel_of(word.port))] += 1;
    for (const memoryx::CallStream::PortWords& words : call.stream.out)
      out[static_cast<std::size_t>(timing.channel_of(words.port))] += static_cast<double>(words.words.size());
  }
  const double bytes_a_second = machine.io.bandwidth / (2.0 * machine.io.channels_per_edge),
               cycles_a_word = 4 / bytes_a_second * machine.core.clock;
  return {*std::max_element(in.begin(), in.end()) * cycles_a_word, *std::max_element(out.begin(), out.end()) * cycles_a_word};
}

TEST(KernelTime, AThousandthOfTheBandwidthMakesAStepOfBytesOverRate) {
  models::MachineSpec slow;
  SmallModel model;
  model.layers = 2;
  model.width = 64;
  model.batch = 1;
  model.sequence = 4;  // few tokens: the weights are nearly all that moves
  const Measured r = measure(model, [&](models::MachineSpec& machine) {
    machine.io.bandwidth /= 1000;
    machine.io.edge_queue_words = 65536;  // whatever is sent has room: only the link's rate holds it up
    slow = machine;
  });
  const LinkCycles link = link_cycles(r, slow);
  const double cycles = static_cast<double>(r.step.gradients - r.step.first);
  fmt::print("step {} cycles; weights in {:.0f}, gradients out {:.0f}\n", cycles, link.in, link.out);
  EXPECT_GT(link.in, link.out);  // the stream of weights bounds it
  EXPECT_GE(cycles, link.in);
  EXPECT_NEAR(cycles, link.in, 0.02 * link.in);
}

TEST(KernelTime, LinkLatencyMovesTheFirstCycleOfComputeByAsMuch) {
  const auto with_latency = [](double cycles) {
    return measure(SmallModel{}, [cycles](models::MachineSpec& machine) { machine.io.latency = cycles / machine.core.clock; });
  };
  const Measured near = with_latency(850), far = with_latency(850 + 123);
  EXPECT_EQ(far.start(0) - near.start(0), 123u);
}

}  // namespace
}  // namespace wafersim::tests
