#include "tools/trainer/trace_plan.h"

#include <fmt/format.h>
#include <map>

#include "memoryx/link_timing.h"
#include "tools/trainer/provenance.h"
#include "tools/trainer/trainer.h"

namespace wafersim::tools {
namespace {

std::vector<TracePlan::Tensor> tensors_of(const PreparedRun& run) {
  const memoryx::ParameterTable table = workloads::parameter_table(run.spec.model.shape);
  std::vector<TracePlan::Tensor> tensors;
  for (const memoryx::ParameterEntry& entry : table.entries()) tensors.push_back({entry.name, -1});
  for (auto call = run.calls.rbegin(); call != run.calls.rend(); ++call)
    for (const int tensor : call->reads) tensors[static_cast<std::size_t>(tensor)].layer = call->layer;
  return tensors;
}

std::vector<TracePlan::WeightFlow> flows_of(const std::vector<PlannedCall>& calls, const std::vector<TracePlan::Tensor>& tensors) {
  std::map<int, int> reader;  // of a tensor: the first forward call
  std::vector<TracePlan::WeightFlow> flows;
  for (std::size_t k = 0; k < calls.size(); ++k) {
    const int call = static_cast<int>(k);
    if (calls[k].phase == "forward")
      for (const int tensor : calls[k].reads) reader.try_emplace(tensor, call);
    std::map<int, std::string> from;  // calls, each once
    for (const int tensor : calls[k].gradients)
      if (const auto found = reader.find(tensor); found != reader.end())
        from.try_emplace(found->second, tensors[static_cast<std::size_t>(tensor)].name);
    for (const auto& [first, name] : from) flows.push_back({first, call, name});
  }
  return flows;
}

}  // namespace

TracePlan trace_plan(const PreparedRun& run) {
  TracePlan plan;
  plan.origin = provenance(run.spec);
  plan.origin.erase("host");
  plan.calls = run.calls;
  plan.clock = run.spec.machine.core.clock;
  plan.peak_macs = peak_rate(run.spec) * static_cast<double>(run.pes());
  plan.steps = run.spec.training.steps;
  const memoryx::LinkTiming link = memoryx::make_link_timing(run.spec.machine.io, plan.clock, run.height());
  plan.link_channels = link.channels_per_edge;
  plan.link_rate = link.bytes_per_cycle() * plan.clock * link.channels_per_edge;
  plan.has_swarm = run.spec.systems > 1;
  if (!plan.has_swarm)
    plan.systems = {"system"};
  else if (run.spec.fidelity == workloads::Fidelity::sampled)
    plan.systems = {fmt::format("each of {} systems", run.spec.systems)};
  else
    for (int system = 0; system < run.spec.systems; ++system) plan.systems.push_back(fmt::format("system {}", system));
  plan.tensors = tensors_of(run);
  plan.flows = flows_of(plan.calls, plan.tensors);
  return plan;
}

}  // namespace wafersim::tools
