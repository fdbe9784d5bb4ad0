#include "tests/support/measured_schedule.h"

#include <algorithm>
#include <map>
#include <set>

#include "memoryx/tensor_index.h"
#include "tests/support/pure_wafer.h"
#include "workloads/kernels/colors.h"

namespace wafersim::tests {
namespace {

std::vector<models::TensorUse> uses(const std::map<int, double>& elements) {
  std::vector<models::TensorUse> all;
  for (const auto& [tensor, count] : elements) all.push_back({tensor, count, 0, false});
  return all;
}

}  // namespace

models::LinkLoad stream_load(const memoryx::CallStream& stream, const memoryx::LinkTiming& link, int edge_queue_words) {
  models::LinkLoad load;
  load.in.resize(static_cast<std::size_t>(link.channels()));
  load.out = load.in;
  using Ports = std::set<std::pair<models::PortKind, int>>;
  Ports in, out;
  const auto kind = [](std::uint8_t color) {
    if (color == workloads::color_f3) return models::corner_port;
    const bool tokens = color == workloads::color_e0 || color == workloads::color_e1 || color == workloads::color_g;
    return tokens ? models::row_ports : models::column_ports;
  };
  const auto add = [&](std::vector<models::LinkLoad::Channel>& channels, Ports& ports, memoryx::Port port, std::uint8_t color,
                       std::size_t words) {
    models::LinkLoad::Part& part = channels[static_cast<std::size_t>(link.channel_of(port))].parts[kind(color)];
    part.words += static_cast<double>(words);
    if (ports.insert({kind(color), link.port_index(port)}).second) part.queue += edge_queue_words;
  };
  for (const memoryx::StreamWord& word : stream.in) {
    add(load.in, in, word.port, word.color, 1);
    load.own_in += memoryx::of_one_system(word) ? 1 : 0;
  }
  for (models::LinkLoad::Channel& channel : load.in) {
    channel.parts[models::corner_port].first = true;
    // Targets, before the matrix that they are for.
    const auto is_target = [](const memoryx::StreamWord& word) { return word.color == workloads::color_e1; };
    channel.parts[models::row_ports].first = std::any_of(stream.in.begin(), stream.in.end(), is_target);
  }
  for (const memoryx::CallStream::PortWords& words : stream.out) {
    add(load.out, out, words.port, words.color, words.words.size());
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
  for (const memoryx::ParameterEntry& entry : experiment.store.table().entries())
    schedule.tensor_elements.push_back(static_cast<double>(entry.size));
  const memoryx::TensorIndex index(experiment.store.table());
  using Value = memoryx::StreamValue;
  for (std::size_t k = 0; k < plan.calls.size(); ++k) {
    const memoryx::CallStream& stream = plan.calls[k].stream;
    std::map<int, double> reads, gradients;
    const auto read = [&](const Value& v) {
      if (v.kind == Value::Kind::parameter || v.kind == Value::Kind::token_row) reads[index.of(v.index)] += 1;
    };
    for (const memoryx::StreamWord& word : stream.in) {
      read(word.low);
      if (word.packed) read(word.high);
    }
    for (const auto& port : stream.out)
      for (const memoryx::GradientWord& word : port.words) {
        if (word.kind == memoryx::GradientWord::Kind::parameter) gradients[index.of(word.index)] += 1;
        if (word.kind == memoryx::GradientWord::Kind::token_row) {
          gradients[index.of(experiment.training.embedding.token)] += 1;
          if (experiment.training.embedding.position) gradients[index.of(*experiment.training.embedding.position)] += 1;
        }
      }
    models::ScheduledCall call;
    call.kernel = plan.calls[k].kernel;
    call.phase = plan.calls[k].phase;
    call.layer = plan.calls[k].layer;
    call.active_cycles = static_cast<double>(times[k].last_done - times[k].first_start);
    call.period_cycles = k + 1 < times.size() ? static_cast<double>(times[k + 1].first_start - times[k].first_start) : call.active_cycles;
    call.load = static_cast<int>(k);
    call.reads = uses(reads);
    call.gradients = uses(gradients);
    schedule.calls.push_back(call);
    schedule.loads.push_back(
        stream_load(stream, schedule.link, memoryx::edge_queue_words(experiment.machine.io, schedule.link, plan.edge_queue_words)));
  }
  return schedule;
}

}  // namespace wafersim::tests
