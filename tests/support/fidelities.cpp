#include "tests/support/fidelities.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <set>
#include <utility>

#include "models/thread_team.h"
#include "tests/support/pure_wafer.h"
#include "tests/support/same_bits.h"
#include "workloads/call_outline.h"
#include "workloads/kernels/bank_phases.h"
#include "workloads/kernels/lower_alone.h"
#include "workloads/sampling/measure_calls.h"
#include "workloads/sampling/sample_key.h"
#include "workloads/step_schedule.h"

namespace wafersim::tests {
namespace {

std::string name_of(const workloads::CallOutline& call) { return fmt::format("{} {}", call.kernel, call.phase); }

}  // namespace

std::vector<ComparedCall> compare_calls(Experiment experiment) {
  experiment.training.batch /= experiment.lowering.micro_batches;
  experiment.lowering.micro_batches = 1;
  const std::vector<workloads::KernelTime> times =
      workloads::KernelSampler(experiment.machine, {}, 2).times(experiment.lowering, experiment.graph);
  const models::WaferPlan plan = experiment.plan();
  make_link_free(experiment.machine);
  const std::vector<models::CallRecord> records =
      PureWafer(experiment.machine, plan, experiment.store, experiment.training).run_step(experiment.batch(0)).statistics.calls;
  std::vector<ComparedCall> calls;
  for (std::size_t k = 0; k < times.size(); ++k) {
    ComparedCall call;
    call.name = plan.calls[k].kernel + " " + plan.calls[k].phase;
    call.active = static_cast<double>(records[k].last_done - records[k].first_start);
    if (k + 1 < times.size()) call.period = static_cast<double>(records[k + 1].first_start - records[k].first_start);
    call.macs = static_cast<double>(records[k].macs);
    call.sampled = times[k];
    calls.push_back(std::move(call));
  }
  return calls;
}

std::vector<ComparedCall> compare_ops(const Experiment& experiment) {
  const workloads::LoweringSpec& spec = experiment.lowering;
  const workloads::TrainingGraph& graph = experiment.graph;
  const std::vector<workloads::KernelTime> times = workloads::KernelSampler(experiment.machine, {}, 2).times(spec, graph);
  const std::vector<workloads::CallOutline> outlines = workloads::outline_calls(spec, graph);
  const std::vector<int> phases = workloads::bank_phases(graph);
  struct Op {
    std::size_t op, first_call;
    std::vector<workloads::CallMeasurement> calls;
  };
  std::vector<Op> ops;
  std::set<std::string> known;
  for (std::size_t k = 0; k < outlines.size(); ++k)
    if (known.insert(workloads::op_signature(graph, graph.ops[static_cast<std::size_t>(outlines[k].op)], phases)).second)
      ops.push_back({static_cast<std::size_t>(outlines[k].op), k, {}});
  std::atomic<std::size_t> next{0};
  models::ThreadTeam(2).run([&](int) {
    for (std::size_t i = next++; i < ops.size(); i = next++)
      ops[i].calls = workloads::measure_calls(workloads::lower_alone(spec, graph, ops[i].op, experiment.machine.sram), experiment.machine);
  });
  const double pes = static_cast<double>(spec.layout.lanes) * spec.layout.columns * spec.layout.rows;
  std::vector<ComparedCall> calls;
  for (const Op& op : ops)
    for (std::size_t i = 0; i < op.calls.size(); ++i)
      calls.push_back({name_of(outlines[op.first_call + i]), op.calls[i].active, op.calls[i].period, std::round(op.calls[i].macs * pes),
                       times[op.first_call + i]});
  return calls;
}

double fidelity_limit(double simulated) { return std::max(40.0, 0.02 * simulated); }

std::vector<std::string> print_calls(const std::vector<ComparedCall>& calls) {
  struct Row {
    int calls = 0;
    double simulated = 0, sampled = 0, worst = 0;
  };
  std::map<std::string, Row> rows;
  std::vector<std::string> beyond;
  for (std::size_t k = 0; k < calls.size(); ++k) {
    const ComparedCall& call = calls[k];
    Row& row = rows[call.name];
    const auto check = [&](const char* what, double simulated, double sampled) {
      const double share = std::abs(sampled - simulated) / fidelity_limit(simulated);
      row.worst = std::max(row.worst, share);
      if (share > 1)
        beyond.push_back(fmt::format("{} of call {}, {}: {:.0f} cycles, {:.1f} sampled", what, k, call.name, simulated, sampled));
    };
    ++row.calls;
    row.simulated += call.active;
    row.sampled += call.sampled.active;
    check("active cycles", call.active, call.sampled.active);
    if (call.period > 0) check("period", call.period, call.sampled.period);
    if (call.sampled.macs != call.macs)
      beyond.push_back(fmt::format("multiply-adds of call {}, {}: {}, {} sampled", k, call.name, call.macs, call.sampled.macs));
  }
  fmt::print("  {:28} {:>5} {:>10} {:>10} {:>8}  {}\n", "kernel", "calls", "wavelet", "sampled", "error", "of the limit, worst call");
  for (const auto& [name, row] : rows)
    fmt::print("  {:28} {:5} {:10.0f} {:10.0f} {:+7.2f}%  {:.2f}\n", name, row.calls, row.simulated, row.sampled,
               100 * (row.sampled / row.simulated - 1), row.worst);
  return beyond;
}

ComparedSteps compare_steps(const Experiment& experiment, const std::vector<ComparedCall>& calls, models::SampledSystem& system) {
  const models::MachineSpec& machine = experiment.machine;
  const models::WaferPlan plan = experiment.plan();
  const memoryx::LinkTiming link = memoryx::make_link_timing(machine.io, machine.core.clock, plan.height);
  std::vector<workloads::CallTime> call_times;
  for (const ComparedCall& call : calls) call_times.push_back({call.sampled.active, call.sampled.period});
  models::SampledSpec spec;
  spec.clock = machine.core.clock;
  spec.memoryx = machine.memoryx;
  PureWafer wafer(machine, plan, experiment.store, experiment.training);
  workloads::reference::ReferenceTrainer reference = experiment.reference();
  ComparedSteps r{};
  std::vector<bool> skipped;
  for (int s = 0; s < 2; ++s) {
    const memoryx::StepBatch batch = experiment.batch(s);
    const models::StepResult step = wafer.run_step(batch);
    skipped.push_back(reference.step(batch.tokens, batch.targets).update.skipped);
    r.simulated[s] = static_cast<double>(step.gradients - step.first);
  }
  r.difference = first_difference(wafer.store(), reference.store());
  const models::SampledRun run = system.run(workloads::make_schedule(experiment.lowering, experiment.graph, call_times, machine,
                                                                     memoryx::edge_queue_words(machine.io, link, plan.edge_queue_words)),
                                            spec, 2, skipped);
  for (int s = 0; s < 2; ++s) {
    const models::SampledStep& step = run.steps[static_cast<std::size_t>(s)];
    r.sampled[s] = step.gradients - step.first;
    // Before its first call a step waits until the tensors of the call's first words are updated, and for the link's latency.
    r.waits[s][static_cast<int>(models::WaitCause::update)] =
        std::max(0.0, step.calls.front().start - step.first - static_cast<double>(link.latency_cycles));
    for (const models::SampledCall& call : step.calls)
      for (int cause = 0; cause < models::wait_causes; ++cause) r.waits[s][cause] += call.waits[cause];
  }
  return r;
}

}  // namespace wafersim::tests
