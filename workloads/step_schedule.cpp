#include "workloads/step_schedule.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "memoryx/link_timing.h"
#include "sim/error.h"
#include "workloads/closed_form.h"
#include "workloads/kernels/colors.h"
#include "workloads/link_load.h"
#include "workloads/tensor_uses.h"

namespace wafersim::workloads {

models::StepSchedule make_schedule(const LoweringSpec& spec, const TrainingGraph& graph, const std::vector<CallTime>& times,
                                   const models::MachineSpec& machine, int edge_queue_words) {
  const std::vector<CallOutline> outlines = outline_calls(spec, graph);
  sim::require_invariant(outlines.size() == times.size(), "every call has its time");
  models::StepSchedule schedule;
  schedule.micro_batches = spec.micro_batches;
  schedule.link = memoryx::make_link_timing(machine.io, machine.core.clock, spec.layout.rows);
  const TensorUses uses(spec, graph);
  const LinkLoads link_loads(spec, schedule.link);
  for (const memoryx::ParameterEntry& entry : uses.table().entries()) schedule.tensor_elements.push_back(static_cast<double>(entry.size));
  const auto up_the_ramp = [&](int queue) {
    return machine.core.input_queue_words[static_cast<std::size_t>(queue)] + machine.fabric.ramp_cycles;
  };
  const QueueWords queues{edge_queue_words,         machine.fabric.router_queue_words,
                          up_the_ramp(in_feeder),   up_the_ramp(in_host),
                          up_the_ramp(in_edge),     machine.core.output_queue_words[out_edge] + machine.fabric.ramp_cycles,
                          machine.fabric.hop_cycles};
  std::map<std::tuple<CallKind, int, int, int, bool>, int> loads;  // calls that put the same words on the link share a load
  for (std::size_t k = 0; k < outlines.size(); ++k) {
    const CallOutline& call = outlines[k];
    const auto [known, is_new] = loads.try_emplace({call.kind, call.inputs, call.tile_inputs, call.tile_outputs, call.bias},
                                                   static_cast<int>(schedule.loads.size()));
    if (is_new) schedule.loads.push_back(link_loads.of(call, queues));
    models::ScheduledCall made;
    made.kernel = call.kernel;
    made.phase = call.phase;
    made.layer = call.layer;
    made.active_cycles = times[k].active;
    made.period_cycles = times[k].period;
    const CallEnds ends = call_ends(call, spec, machine);
    made.fill_cycles = std::min(ends.fill, made.active_cycles);
    made.drain_cycles = std::min(ends.drain, made.active_cycles - made.fill_cycles);
    made.load = known->second;
    uses.add(call, made.reads, made.gradients);
    schedule.calls.push_back(std::move(made));
  }
  return schedule;
}

}  // namespace wafersim::workloads
