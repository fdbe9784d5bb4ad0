#include "workloads/roofline.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <iterator>
#include <numeric>
#include <utility>

#include "memoryx/link_timing.h"
#include "memoryx/memory_x.h"
#include "workloads/family.h"

namespace wafersim::workloads {
namespace {

constexpr double gradient_bytes = 4;
constexpr double sram_read_bytes = 16;  // a cycle and PE: two reads of 64 bits [C: Hot Chips 34; the SDK says 32 bits]

double macs_per_cycle(const LoweringSpec& spec, const models::CoreSpec& core) {
  const double rate = spec.type == sim::Dtype::f16 ? core.rate.mixed_fma : core.rate.single_fma;
  const double a_pe = rate >= 1 ? std::floor(rate) : 1.0 / std::round(1.0 / rate);
  return a_pe * spec.layout.lanes * spec.layout.columns * spec.layout.rows;
}

void finish(Bound::Phase& phase, const Bound& bound) {
  phase.compute_cycles = phase.work.macs / bound.macs_per_cycle;
  phase.weight_stream_cycles = phase.work.bytes_in / bound.link_bytes_per_cycle;
  phase.gradient_stream_cycles = phase.work.bytes_out / bound.link_bytes_per_cycle;
}

double optimizer_cycles(const LoweringSpec& spec, const models::MachineSpec& machine, const memoryx::UpdateSpec& update) {
  double parameters = 0;
  const memoryx::ParameterTable table = parameter_table(spec.shape);
  for (const memoryx::ParameterEntry& entry : table.entries()) parameters += static_cast<double>(entry.size);
  const double bytes = parameters * memoryx::update_bytes(update.optimizer.kind);
  return std::max(parameters / machine.memoryx.optimizer_rate, bytes / machine.memoryx.bandwidth) * machine.core.clock;
}

// Words that pass the busiest link between PEs in a call, on average at least: of a row sum a partial sum of every token and output, of a
// column sum one of every input and output of a column, of attention the keys and values of a sample's other rows.
double fabric_words(const CallOutline& call, const LoweringSpec& spec) {
  const Layout& layout = spec.layout;
  const double tokens = static_cast<double>(layout.batch) * layout.sequence / (layout.lanes * layout.rows);
  switch (call.kind) {
    case CallKind::linear:
    case CallKind::loss: return layout.columns > 1 ? tokens * call.outputs * (layout.columns - 1) / layout.columns : 0;
    case CallKind::weight_gradient: return layout.rows > 1 ? static_cast<double>(call.inputs) * call.outputs / layout.columns : 0;
    case CallKind::attention: {
      const double features = static_cast<double>(spec.shape.attention_width()) / layout.columns;
      return 2 * features * sim::bytes_of(spec.type) / 4 * layout.sequence * (layout.rows_per_sequence - 1) / layout.rows_per_sequence;
    }
    default: return 0;
  }
}

struct Term {
  double cycles;
  BoundBy by;
};

Term longest(std::initializer_list<Term> terms) {
  return *std::max_element(terms.begin(), terms.end(), [](const Term& a, const Term& b) { return a.cycles < b.cycles; });
}

double sum(const std::vector<Term>& chain) {
  return std::accumulate(chain.begin(), chain.end(), 0.0, [](double cycles, const Term& term) { return cycles + term.cycles; });
}

// The longest chain of what happens one after the other, summed by what it is spent on.
void set_bound(Bound& bound, int micro_batches) {
  const Term optimizer{bound.optimizer_cycles, BoundBy::optimizer};
  const double compute = bound.forward.compute_cycles / micro_batches, stream = bound.forward.weight_stream_cycles / micro_batches;
  const Term forward = longest({{compute, BoundBy::compute}, {stream, BoundBy::weight_stream}});  // of the first micro-batch
  const Term backward = longest({{bound.forward.compute_cycles - compute + bound.backward.compute_cycles, BoundBy::compute},
                                 {bound.backward.gradient_stream_cycles, BoundBy::gradient_stream}});
  const Term words_in{bound.forward.weight_stream_cycles + bound.backward.weight_stream_cycles, BoundBy::weight_stream};
  std::vector<Term> chain{forward, backward};
  const auto replace_by_longer = [&chain](const std::vector<Term>& other) {
    if (sum(other) > sum(chain)) chain = other;
  };
  replace_by_longer({words_in});
  bound.skipped_cycles = sum(chain);
  replace_by_longer(bound.updates_wait ? std::vector<Term>{optimizer, backward} : std::vector<Term>{optimizer});
  bound.cycles = sum(chain);
  double spent[4] = {};
  for (const Term& term : chain) spent[static_cast<int>(term.by)] += term.cycles;
  bound.by = static_cast<BoundBy>(std::max_element(spent, spent + 4) - spent);
}

}  // namespace

const char* name(BoundBy by) {
  switch (by) {
    case BoundBy::compute: return "compute";
    case BoundBy::weight_stream: return "weight_stream";
    case BoundBy::gradient_stream: return "gradient_stream";
    case BoundBy::optimizer: break;
  }
  return "optimizer";
}

Work work_of(const CallOutline& call, const LoweringSpec& spec) {
  const double tokens = static_cast<double>(spec.layout.batch) * spec.layout.sequence, b = sim::bytes_of(spec.type);
  const bool causal = family_form(spec.shape).causal;
  const double pairs = tokens * (causal ? (spec.layout.sequence + 1) / 2.0 : spec.layout.sequence);  // of a query and a key it sees
  const double in = call.inputs, weights = in * call.outputs, bias = call.bias ? call.outputs : 0;
  switch (call.kind) {
    case CallKind::embedding: return {0, family_form(spec.shape).row_kinds() * tokens * in * b, 0};
    case CallKind::layer_norm: return {0, 2 * in * b, 0};
    case CallKind::rms_norm: return {0, in * b, 0};
    case CallKind::linear: return {tokens * weights, (weights + bias) * b, 0};
    case CallKind::attention: return {2 * pairs * spec.shape.attention_width(), 0, 0};
    case CallKind::loss: return {tokens * weights, (weights + bias) * b, 0};
    case CallKind::logit_gradient: return {0, (weights + bias) * b, 0};
    case CallKind::weight_gradient: return {tokens * weights, 0, (weights + bias) * gradient_bytes};
    case CallKind::layer_norm_gradient: return {0, in * b, 2 * in * gradient_bytes};
    case CallKind::rms_norm_gradient: return {0, in * b, in * gradient_bytes};
    case CallKind::attention_gradient: return {4 * pairs * spec.shape.attention_width(), 0, 0};
    case CallKind::embedding_gradient: return {0, 0, tokens * in * gradient_bytes};
    case CallKind::gelu:
    case CallKind::share_keys:
    case CallKind::rotary:
    case CallKind::share_keys_gradient:
    case CallKind::gelu_erf:
    case CallKind::relu:
    case CallKind::swiglu:
    case CallKind::gelu_erf_gradient:
    case CallKind::relu_gradient:
    case CallKind::swiglu_gradient:
    case CallKind::add:
    case CallKind::gelu_gradient:
    case CallKind::accumulate:
    case CallKind::round: break;
  }
  return {};
}

Bound bound_step(const LoweringSpec& spec, const TrainingGraph& graph, const models::MachineSpec& machine,
                 const memoryx::UpdateSpec& update) {
  const memoryx::LinkTiming link = memoryx::make_link_timing(machine.io, machine.core.clock, spec.layout.rows);
  Bound bound;
  bound.macs_per_cycle = macs_per_cycle(spec, machine.core);
  bound.link_bytes_per_cycle = link.bytes_per_cycle() * link.channels();
  for (const CallOutline& call : outline_calls(spec, graph)) {
    const Work work = work_of(call, spec);
    Work& sum = (call.backward ? bound.backward : bound.forward).work;
    sum.macs += spec.micro_batches * work.macs;
    sum.bytes_in += spec.micro_batches * work.bytes_in;
    sum.bytes_out += spec.micro_batches * work.bytes_out;
  }
  finish(bound.forward, bound);
  finish(bound.backward, bound);
  bound.optimizer_cycles = optimizer_cycles(spec, machine, update);
  bound.updates_wait = update.clip > 0 || update.loss_scale.dynamic;

  set_bound(bound, spec.micro_batches);
  return bound;
}

const char* CallBound::by() const {
  const std::pair<double, const char*> terms[] = {
      {compute, "compute"}, {sram, "sram"}, {fabric, "fabric"}, {weight_stream, "weight_stream"}, {gradient_stream, "gradient_stream"}};
  const auto* most = std::max_element(std::begin(terms), std::end(terms), [](const auto& x, const auto& y) { return x.first < y.first; });
  return most->first > 0 ? most->second : "";
}

std::vector<CallBound> bound_calls(const LoweringSpec& spec, const TrainingGraph& graph, const models::MachineSpec& machine) {
  const memoryx::LinkTiming link = memoryx::make_link_timing(machine.io, machine.core.clock, spec.layout.rows);
  const double peak = macs_per_cycle(spec, machine.core), link_bytes = link.bytes_per_cycle() * link.channels();
  const double pes = static_cast<double>(spec.layout.lanes) * spec.layout.columns * spec.layout.rows;
  std::vector<CallBound> bounds;
  for (const CallOutline& call : outline_calls(spec, graph)) {
    const Work work = work_of(call, spec);
    CallBound bound;
    bound.compute = work.macs / peak;
    bound.sram = work.macs * sim::bytes_of(spec.type) / sram_read_bytes / pes;
    bound.fabric = fabric_words(call, spec);
    bound.weight_stream = work.bytes_in / link_bytes;
    bound.gradient_stream = work.bytes_out / link_bytes;
    bounds.push_back(bound);
  }
  return bounds;
}

}  // namespace wafersim::workloads
