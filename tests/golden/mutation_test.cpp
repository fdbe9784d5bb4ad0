// The goldens guard: a machine that is slower by one cycle a hop, a sum that is added up in another order and a stall that is dropped are
// each seen in a golden run, where a golden looks for it, and the run as it is in none.

#include <algorithm>
#include <gtest/gtest.h>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "sim/config/tree.h"
#include "sim/json_file.h"
#include "tools/compare/difference.h"
#include "tools/compare/golden.h"
#include "tools/compare/source.h"
#include "tools/compare/trace_figures.h"
#include "tools/trainer/report.h"
#include "tools/trainer/trace.h"
#include "workloads/run_spec.h"

namespace wafersim::tools {
namespace {

using models::Instruction, models::Opcode, models::Operand;
using nlohmann::json;

const std::string goldens = WAFERSIM_SOURCE_DIR "/tests/golden/runs/";

// The golden run of gpt2 on a CS-2, before it starts.
PreparedRun golden_run(const std::string& fidelity) {
  const std::vector<sim::Override> overrides = {{"machine", "cs2", "--set machine=cs2"}, {"fidelity", fidelity, "--fidelity " + fidelity}};
  return prepare_run(workloads::read_run_spec(goldens + "gpt2.json", overrides, goldens));
}

// What the golden says about a run.
compare::Comparison against_golden(const PreparedRun& run) {
  std::stringstream bytes;
  Trace trace(trace_plan(run), {}, [&](std::string_view more) { bytes << more; });
  EngineOptions engine;
  engine.trace = &trace;
  const RunResult result = train(run, engine, [](int, const StepRecord&) {});
  trace.finish();
  const json tree = compare::run_tree(json::parse(make_report(run, result).dump()), compare::trace_figures(bytes, "trace"));
  const std::string name = std::string("gpt2-cs2-") + workloads::name(run.spec.fidelity) + ".golden.json";
  return compare::compare(sim::read_json_file(goldens + name)["figures"], compare::golden_of(tree), compare::standard_tolerances());
}

// Whether a figure below `section` is beyond its tolerance.
bool seen(const compare::Comparison& comparison, const std::string& section) {
  return std::any_of(comparison.differences.begin(), comparison.differences.end(),
                     [&](const compare::Difference& d) { return d.beyond && compare::names(section, d.key); });
}

class Golden : public testing::TestWithParam<const char*> {};

TEST_P(Golden, IsThatOfTheRunAsItIs) { EXPECT_EQ(against_golden(golden_run(GetParam())).differences.size(), 0u); }

TEST_P(Golden, SeesAnExtraCycleOfHopLatencyInTimesAloneAndNotInNumbers) {
  PreparedRun run = golden_run(GetParam());
  ++run.spec.machine.fabric.hop_cycles;
  const compare::Comparison comparison = against_golden(run);
  EXPECT_TRUE(seen(comparison, "step.cycles"));
  EXPECT_TRUE(seen(comparison, "breakdown.layer_0.forward.linear.cycles"));
  EXPECT_TRUE(seen(comparison, "trace.wafer_kernels"));
  EXPECT_FALSE(seen(comparison, "loss"));
  EXPECT_FALSE(seen(comparison, "digests"));
}

INSTANTIATE_TEST_SUITE_P(Fidelities, Golden, testing::Values("wavelet", "sampled"), [](const auto& test) { return test.param; });

// A dot product in memory whose operands are read from the last element to the first: its products are the same, their sum rounds
// otherwise.
void read_backwards(Operand& operand, std::int32_t n) {
  operand.base.immediate += (n - 1) * operand.element_stride * static_cast<std::int32_t>(sim::bytes_of(operand.type));
  operand.element_stride = -operand.element_stride;
}

bool is_dot_product(const Instruction& i) {
  return i.op == Opcode::fma && i.dst.element_stride == 0 && i.a.kind == Operand::Kind::memory && i.b.kind == Operand::Kind::memory &&
         i.n.reg < 0 && i.n.immediate > 2;
}

TEST(GoldenOfWavelets, SeesOneSumThatIsAddedUpInTheOtherOrder) {
  PreparedRun run = golden_run("wavelet");
  std::vector<Instruction>& code = run.plan->programs[0].code;
  const auto sum = std::find_if(code.begin(), code.end(), is_dot_product);
  ASSERT_NE(sum, code.end());
  read_backwards(sum->a, sum->n.immediate);
  read_backwards(sum->b, sum->n.immediate);
  const compare::Comparison comparison = against_golden(run);
  EXPECT_TRUE(seen(comparison, "digests"));
  EXPECT_FALSE(seen(comparison, "macs"));
}

TEST(GoldenOfWavelets, SeesOneStallThatIsDropped) {
  PreparedRun run = golden_run("wavelet");
  std::vector<Instruction>& code = run.plan->programs[0].code;
  const auto switches = std::find_if(code.begin(), code.end(), [](const Instruction& i) { return i.new_output; });
  ASSERT_NE(switches, code.end());
  switches->new_output = false;
  const compare::Comparison comparison = against_golden(run);
  EXPECT_TRUE(seen(comparison, "breakdown.*.stalls.output_switch"));
  EXPECT_TRUE(seen(comparison, "step.cycles"));
  EXPECT_FALSE(seen(comparison, "digests"));
}

}  // namespace
}  // namespace wafersim::tools
