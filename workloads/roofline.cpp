#include "workloads/roofline.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <numeric>

#include "memoryx/link_timing.h"
#include "memoryx/memory_x.h"
#include "workloads/family.h"
#include "workloads/instruction_cycles.h"

namespace wafersim::workloads {
namespace {

constexpr std::size_t resources = static_cast<std::size_t>(BoundBy::optimizer) + 1;
constexpr double gradient_bytes = 4;
constexpr double sram_read_bytes = 16;  // a cycle and PE: two reads of 64 bits [C: Hot Chips 34; the SDK says 32 bits]

// What the mapped rectangle and its link do in a cycle at most.
struct Peak {
  double macs;
  double sram_operands;
  double link_bytes;  // each way

  Peak(const LoweringSpec& spec, const models::MachineSpec& machine) {
    const memoryx::LinkTiming link = memoryx::make_link_timing(machine.io, machine.core.clock, spec.layout.rows);
    const double pes = static_cast<double>(spec.layout.lanes) * spec.layout.columns * spec.layout.rows;
    const double rate = sim::is_half(spec.type) ? machine.core.rate.mixed_fma : machine.core.rate.single_fma;
    macs = pes * InstructionCycles::whole_rate(rate);
    sram_operands = pes * sram_read_bytes / sim::bytes_of(spec.type);
    link_bytes = link.bytes_per_cycle() * link.channels();
  }
  CallBound needs(const Work& work) const {
    return {work.macs / macs, work.macs / sram_operands, work.fabric_words, work.bytes_in / link_bytes, work.bytes_out / link_bytes};
  }
};

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

Term kernels(const CallBound& needs) {
  return longest({{needs.compute, BoundBy::compute}, {needs.sram, BoundBy::sram}, {needs.fabric, BoundBy::fabric}});
}

double sum(const std::vector<Term>& chain) {
  return std::accumulate(chain.begin(), chain.end(), 0.0, [](double cycles, const Term& term) { return cycles + term.cycles; });
}

// What most of a chain is spent on.
BoundBy most_of(const std::vector<Term>& chain) {
  std::array<double, resources> spent{};
  for (const Term& term : chain) spent[static_cast<std::size_t>(term.by)] += term.cycles;
  return static_cast<BoundBy>(std::max_element(spent.begin(), spent.end()) - spent.begin());
}

// The longest chain of what happens one after the other.
void set_bound(Bound& bound, int micro_batches) {
  const Term optimizer{bound.optimizer_cycles, BoundBy::optimizer};
  const CallBound first = bound.forward.needs * (1.0 / micro_batches);  // the first micro-batch's forward
  CallBound rest = bound.backward.needs;
  rest += bound.forward.needs * (1 - 1.0 / micro_batches);
  const Term forward = longest({kernels(first), {first.weight_stream, BoundBy::weight_stream}});
  const Term backward = longest({kernels(rest), {rest.gradient_stream, BoundBy::gradient_stream}});
  const Term words_in{first.weight_stream + rest.weight_stream, BoundBy::weight_stream};
  std::vector<Term> chain{forward, backward};
  const auto replace_by_longer = [&chain](const std::vector<Term>& other) {
    if (sum(other) > sum(chain)) chain = other;
  };
  replace_by_longer({words_in});
  bound.skipped_cycles = sum(chain);
  bound.skipped_by = most_of(chain);
  replace_by_longer(bound.updates_wait ? std::vector<Term>{optimizer, backward} : std::vector<Term>{optimizer});
  bound.cycles = sum(chain);
  bound.by = most_of(chain);
}

}  // namespace

const char* name(BoundBy by) {
  switch (by) {
    case BoundBy::compute: return "compute";
    case BoundBy::sram: return "sram";
    case BoundBy::fabric: return "fabric";
    case BoundBy::weight_stream: return "weight_stream";
    case BoundBy::gradient_stream: return "gradient_stream";
    case BoundBy::optimizer: break;
  }
  return "optimizer";
}

namespace {

// Multiply-adds and what passes the edges.
Work arithmetic_and_streams(const CallOutline& call, const LoweringSpec& spec) {
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

// Of one micro-batch.
Work work_of(const CallOutline& call, const LoweringSpec& spec) {
  Work work = arithmetic_and_streams(call, spec);
  work.fabric_words = fabric_words(call, spec);
  return work;
}

}  // namespace

CallBound& CallBound::operator+=(const CallBound& other) {
  compute += other.compute;
  sram += other.sram;
  fabric += other.fabric;
  weight_stream += other.weight_stream;
  gradient_stream += other.gradient_stream;
  return *this;
}

CallBound CallBound::operator*(double times) const {
  return {times * compute, times * sram, times * fabric, times * weight_stream, times * gradient_stream};
}

const char* CallBound::by() const {
  const Term most = longest({kernels(*this), {weight_stream, BoundBy::weight_stream}, {gradient_stream, BoundBy::gradient_stream}});
  return most.cycles > 0 ? name(most.by) : "";
}

nlohmann::ordered_json bound_to_json(const CallBound& bound) {
  return {{"compute", bound.compute},
          {"sram", bound.sram},
          {"fabric", bound.fabric},
          {"weight_stream", bound.weight_stream},
          {"gradient_stream", bound.gradient_stream}};
}

Bound bound_step(const LoweringSpec& spec, const TrainingGraph& graph, const models::MachineSpec& machine,
                 const memoryx::UpdateSpec& update) {
  const Peak peak(spec, machine);
  Bound bound;
  bound.macs_per_cycle = peak.macs;
  bound.link_bytes_per_cycle = peak.link_bytes;
  for (const CallOutline& call : outline_calls(spec, graph)) {
    const Work work = work_of(call, spec);
    Work& sum = (call.backward ? bound.backward : bound.forward).work;
    sum.macs += spec.micro_batches * work.macs;
    sum.bytes_in += spec.micro_batches * work.bytes_in;
    sum.bytes_out += spec.micro_batches * work.bytes_out;
    sum.fabric_words += spec.micro_batches * work.fabric_words;
  }
  for (Bound::Phase* phase : {&bound.forward, &bound.backward}) phase->needs = peak.needs(phase->work);
  bound.optimizer_cycles = optimizer_cycles(spec, machine, update);
  bound.updates_wait = update.clip > 0 || update.loss_scale.dynamic;

  set_bound(bound, spec.micro_batches);
  return bound;
}

std::vector<CallBound> bound_calls(const LoweringSpec& spec, const TrainingGraph& graph, const models::MachineSpec& machine) {
  const Peak peak(spec, machine);
  std::vector<CallBound> bounds;
  for (const CallOutline& call : outline_calls(spec, graph)) bounds.push_back(peak.needs(work_of(call, spec)));
  return bounds;
}

}  // namespace wafersim::workloads
