#include "tests/support/measured_schedule.h"

#include <algorithm>

#include "memoryx/stream_work.h"
#include "tests/support/pure_wafer.h"
#include "workloads/kernels/colors.h"

namespace wafersim::tests {
models::LinkLoad stream_load(const memoryx::CallStream& stream, const memoryx::LinkTiming& link, int edge_queue_words) {
  models::LinkLoad load;
  load.in.resize(static_cast<std::size_t>(link.channels()));
  for (int i = 0; i < link.ports(); ++i)
    load.in[static_cast<std::size_t>(link.channel_of(link.port(i)))].parts.push_back(
        {.ports = 1, .queue = static_cast<double>(edge_queue_words)});
  load.out = load.in;
  const auto part = [&](std::vector<models::LinkLoad::Channel>& channels, memoryx::Port port) -> models::LinkLoad::Part& {
    const int channel = link.channel_of(port), first = channel % link.channels_per_edge * link.pitch;
    return channels[static_cast<std::size_t>(channel)].parts[static_cast<std::size_t>(port.row - first)];
  };
  for (const memoryx::StreamWord& word : stream.in) {
    const int kind = word.color == workloads::color_f3   ? 0
                     : word.color == workloads::color_e1 ? 1
                     : word.color == workloads::color_e0 ? 2
                                                         : 3;
    part(load.in, word.port).words[static_cast<std::size_t>(kind)] += 1;
    load.own_in += memoryx::of_one_system(word) ? 1 : 0;
    load.own_ahead += memoryx::of_one_system(word) && word.color == workloads::color_e1 ? 1 : 0;
  }
  for (const memoryx::CallStream::PortWords& words : stream.out) {
    part(load.out, words.port).words[3] += static_cast<double>(words.words.size());
    for (const memoryx::GradientWord& word : words.words) load.own_out += memoryx::of_one_system(word) ? 1 : 0;
  }
  return load;
}

models::StepSchedule measured_schedule(const Experiment& experiment, const models::WaferPlan& plan) {
  models::MachineSpec machine = experiment.machine;
  make_link_free(machine);
  const std::vector<models::CallRecord> times =
      PureWafer(machine, plan, experiment.store, experiment.training).run_step(experiment.batch(0)).statistics.calls;

  models::StepSchedule schedule;
  schedule.link = memoryx::make_link_timing(experiment.machine.io, experiment.machine.core.clock, plan.height);
  std::vector<const memoryx::CallStream*> streams;
  for (const models::KernelCall& call : plan.calls) streams.push_back(&call.stream);
  const memoryx::StepWork work = memoryx::work_of(streams, schedule.link, experiment.store.table(), experiment.training, 1);
  schedule.tensor_elements = work.tensor_elements;
  for (std::size_t k = 0; k < plan.calls.size(); ++k) {
    models::ScheduledCall call;
    call.kernel = plan.calls[k].kernel;
    call.phase = plan.calls[k].phase;
    call.layer = plan.calls[k].layer;
    call.active_cycles = static_cast<double>(times[k].last_done - times[k].first_start);
    call.period_cycles = k + 1 < times.size() ? static_cast<double>(times[k + 1].first_start - times[k].first_start) : call.active_cycles;
    call.load = static_cast<int>(k);
    call.reads = work.calls[k].reads;
    call.gradients = work.calls[k].gradients;
    schedule.calls.push_back(call);
    schedule.loads.push_back(
        stream_load(*streams[k], schedule.link, memoryx::edge_queue_words(experiment.machine.io, schedule.link, plan.edge_queue_words)));
  }
  return schedule;
}

}  // namespace wafersim::tests
