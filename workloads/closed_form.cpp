#include "workloads/closed_form.h"

#include <algorithm>

#include "memoryx/link_timing.h"
#include "sim/error.h"
#include "workloads/closed_form_attention.h"
#include "workloads/family.h"
#include "workloads/head_map.h"
#include "workloads/instruction_cycles.h"
#include "workloads/link_load.h"

namespace wafersim::workloads {
namespace {

constexpr int arguments_of_a_start = 6, words_of_a_start = 2, scalars_of_a_completion = 20;  // a kernel's mean

class ClosedForm {
 public:
  ClosedForm(const LoweringSpec& spec, const models::MachineSpec& machine)
      : layout_(spec.layout),
        at_(machine.core, machine.fabric, spec.type),
        functions_(machine.core.function),
        t_(layout_.tokens_per_pe),
        chunks_(spec.chunks()),
        slices_(key_slices(spec.shape, spec.layout)),
        head_rows_(head_rows(spec.shape, spec.layout.columns_per_head)),
        pairs_(std::min(spec.shape.rotary, head_rows_) / 2),
        form_(family_form(spec.shape)) {}

  double cycles(const CallOutline& call);
  CallEnds ends(const CallOutline& call);

 private:
  double linear(int outputs_a_column, int h) const;
  double a_gradient() const;  // of a weight gradient's outputs
  double weight_gradient() const;
  double layer_norm() const;
  double layer_norm_gradient() const;
  double rms_norm() const;
  double rms_norm_gradient() const;
  double share_keys() const;
  double share_keys_gradient() const;
  double rotary() const;
  double gelu_erf() const;
  double gelu_erf_gradient() const;
  double relu() const { return start() + at_.maximum_tiles(h_, t_); }
  double relu_gradient() const;
  double swiglu() const;
  double swiglu_gradient() const;
  double gelu() const;
  double gelu_gradient() const;
  double embedding() const;
  double embedding_gradient() const;
  double loss() const;
  double rescale() const;
  double loss_of_chunk() const;   // beyond its logits
  double loss_of_chunks() const;  // beyond them, of all
  double logit_gradient() const;
  double gradient_of_logits() const;
  double add() const { return start() + at_.add_tiles(h_, t_); }
  double accumulate() const { return start() + at_.add_rows(h_, t_); }
  double round() const { return start() + at_.convert_tiles(h_, t_); }
  double attention() const { return start() + attention_cycles(at_, layout_, call_.tile_outputs, form_.causal); }
  double attention_gradient() const { return start() + attention_gradient_cycles(at_, layout_, call_.tile_outputs, form_.causal); }

  int width() const { return layout_.lanes * layout_.columns; }
  // From the first PE's start to the last one's first vector instruction: the start's multicast, a task switch, storing and loading the
  // arguments, loading words of the PE's table.
  double start() const { return start_at(width() - 1, layout_.rows - 1); }
  // To the PE so far east and south: where a chain begins there and passes the rest more slowly than the start does, that is not waited
  // for.
  double start_at(int x, int y) const {
    const double loads = at_.stream(arguments_of_a_start) + at_.scalars(arguments_of_a_start + words_of_a_start);
    return at_.hops(x + y) + at_.task_switch() + loads;
  }
  int last_lane() const { return width() - layout_.columns; }  // its first column
  double ring_fill() const { return 2 * at_.chain_hop() * (layout_.columns - 1) + (layout_.columns - 1); }
  // From the first row of the first lane to the last row of the last one; between lanes a sum passes a lane's rows and columns.
  double column_chain() const {
    return at_.chain_hop() * (layout_.lanes * layout_.rows - 1) + at_.hops(layout_.rows + layout_.columns - 2) * (layout_.lanes - 1);
  }

  const Layout& layout_;
  InstructionCycles at_;
  const models::FunctionCycles& functions_;
  int t_, chunks_;
  KeySlices slices_;
  int head_rows_, pairs_;
  FamilyForm form_;
  CallOutline call_;  // at hand
  int h_ = 0;         // its inputs
};

double ClosedForm::linear(int outputs_a_column, int h) const {
  const double passed_on = layout_.columns > 1 ? at_.stream(t_) : 0;
  const double per_output = h * at_.triggered_fma(t_) + passed_on + at_.tile_words(h) + at_.output_switch();
  return layout_.columns * outputs_a_column * per_output + ring_fill();
}

double ClosedForm::a_gradient() const {
  const double relay = layout_.columns > 1 ? 2 * at_.stream_tile_row(t_) : 0;
  const int held = std::max(h_, call_.tile_outputs);
  return relay + at_.fma_rows(held, t_) + at_.stream(held) + at_.output_switch();
}

double ClosedForm::weight_gradient() const { return layout_.columns * std::min(h_, call_.tile_outputs) * a_gradient() + column_chain(); }

double ClosedForm::layer_norm() const {
  const double mean = at_.move(t_) + at_.fma_rows(h_, t_) + at_.all_reduce(t_, layout_.columns) + at_.multiply(t_) + at_.move(t_);
  const double variance = h_ * (at_.add(t_) + at_.fma(t_) + at_.scalars(1)) + at_.all_reduce(t_, layout_.columns) + at_.multiply(t_) +
                          at_.add(t_) + at_.function(t_, functions_.rsqrt);
  const double a_row = at_.add(t_) + at_.multiply(t_) + at_.triggered_multiply(t_) + at_.triggered_add(t_) + at_.convert(t_);
  return start_at(last_lane(), layout_.rows - 1) + mean + variance + at_.clear_tiles(h_, t_) + h_ * (a_row + at_.scalars(2));
}

double ClosedForm::layer_norm_gradient() const {
  const double normalise = at_.add(t_) + at_.multiply(t_);
  const double products = normalise + at_.fma(t_, false) + at_.fma_rows(1, t_, false) + at_.triggered_multiply(t_) + 2 * at_.fma(t_);
  const double totals = at_.all_reduce(2 * t_, layout_.columns) + at_.multiply(2 * t_) + at_.add(t_);
  const double a_row = normalise + at_.add(t_) + at_.fma(t_) + at_.multiply(t_) + at_.convert(t_);
  return start_at(last_lane(), 0) + at_.move(2 * t_) + h_ * (products + at_.scalars(4)) + totals + at_.clear_tiles(h_, t_) +
         h_ * (a_row + at_.scalars(3)) + at_.stream(2 * h_) + column_chain();
}

double ClosedForm::rms_norm() const {
  const double square = at_.move(t_) + at_.fma_rows(h_, t_) + at_.all_reduce(t_, layout_.columns) + at_.multiply(t_) + at_.add(t_) +
                        at_.function(t_, functions_.rsqrt);
  const double a_row = at_.multiply(t_) + at_.triggered_multiply(t_) + at_.convert(t_);
  return start_at(last_lane(), layout_.rows - 1) + square + at_.clear_tiles(h_, t_) + h_ * (a_row + at_.scalars(2));
}

double ClosedForm::rms_norm_gradient() const {
  const double products = at_.multiply(t_) + at_.fma(t_, false) + at_.triggered_multiply(t_) + at_.fma(t_);
  const double total = at_.all_reduce(t_, layout_.columns) + at_.multiply(t_) + at_.add(t_);
  const double a_row = 2 * at_.multiply(t_) + at_.fma(t_) + at_.convert(t_);
  return start_at(last_lane(), 0) + at_.move(t_) + h_ * (products + at_.scalars(4)) + total + at_.clear_tiles(h_, t_) +
         h_ * (a_row + at_.scalars(3)) + at_.stream(h_) + column_chain();
}

// Slice s of C starts at column s and goes around the ring; a PE takes it whole, sends it on, keeps it where its head needs it, and then
// takes the next. The longest way from the first slice in its own column to the last one in its last column goes C - 1 times on to the next
// slice, and twice around the ring from column to column. It may take each slice on in a column that keeps it, for the columns that keep
// one after the other lie one after the other too.
double ClosedForm::share_keys() const {
  const double words = at_.issue() + 2 * slices_.rows * at_.tile_words(t_);
  const double next_slice = 2 * words + 2 * at_.clear_tiles(slices_.rows, t_) + at_.scalars(10);
  const double next_column = words + at_.ramps(2) + at_.hops(1);
  return start() + at_.clear_tiles(head_rows_, t_) + (layout_.columns - 1) * (next_slice + 2 * next_column) + words;
}

// Sums of a slice stream from column to column, so that only the slices' own work counts: in the column that owns a slice, which rounds the
// sum and then, one time in columns_per_head, has a part of the next slice.
double ClosedForm::share_keys_gradient() const {
  const double part = at_.clear_tiles(2 * slices_.rows, t_) + 2 * at_.clear_tiles(slices_.rows, t_) / layout_.columns_per_head;
  const double sum = at_.stream(2.0 * slices_.rows * t_) + at_.convert_tiles(2 * slices_.rows, t_);
  return start() + at_.clear_tiles(head_rows_, t_) + layout_.columns * (part + sum + at_.scalars(10)) + ring_fill();
}

double ClosedForm::rotary() const {
  const double angle = at_.multiply(t_) + at_.function(t_, functions_.cos) + at_.function(t_, functions_.sin) + at_.add(t_);
  const double turn = 4 * at_.multiply(t_) + 2 * at_.add(t_) + 2 * at_.convert(t_);
  return start() + at_.clear_tiles(3 * head_rows_, t_) + at_.add(t_) + pairs_ * (angle + 2 * turn + at_.scalars(3));
}

double ClosedForm::gelu_erf() const {
  const double row = 2 * at_.convert(t_) + 3 * at_.multiply(t_) + at_.add(t_) + at_.function(t_, functions_.erf);
  return start() + h_ * (row + at_.scalars(2));
}

double ClosedForm::gelu_erf_gradient() const {
  const double bell = 3 * at_.multiply(t_) + at_.function(t_, functions_.exp);
  const double row = 2 * at_.convert(t_) + bell + 3 * at_.multiply(t_) + at_.add(t_) + at_.function(t_, functions_.erf) + at_.fma(t_);
  return start() + h_ * (row + at_.scalars(3));
}

double ClosedForm::relu_gradient() const { return start() + h_ * (3 * at_.convert(t_) + at_.maximum(t_) + at_.add(t_) + at_.scalars(3)); }

double ClosedForm::swiglu() const {
  const double sigmoid = 2 * at_.add(t_) + at_.function(t_, functions_.exp) + at_.function(t_, functions_.recip);
  return start() + call_.tile_outputs * (2 * at_.convert(t_) + sigmoid + 2 * at_.multiply(t_) + at_.scalars(3));
}

double ClosedForm::swiglu_gradient() const {
  const double sigmoid = 2 * at_.add(t_) + at_.function(t_, functions_.exp) + at_.function(t_, functions_.recip);
  const double row = 4 * at_.convert(t_) + sigmoid + 4 * at_.multiply(t_) + at_.add(t_) + at_.fma(t_);
  return start() + call_.tile_outputs * (row + at_.scalars(5));
}

double ClosedForm::gelu() const {
  const double row = 2 * at_.convert(t_) + 4 * at_.multiply(t_) + 2 * at_.move(t_) + 2 * at_.fma(t_) + at_.function(t_, functions_.tanh);
  return start() + h_ * (row + at_.scalars(2));
}

double ClosedForm::gelu_gradient() const {
  const double row =
      2 * at_.convert(t_) + 8 * at_.multiply(t_) + 4 * at_.move(t_) + 4 * at_.fma(t_) + 2 * at_.add(t_) + at_.function(t_, functions_.tanh);
  return start() + h_ * (row + at_.scalars(3));
}

// Rows of tokens, positions and types of all columns pass each PE of a row, a word a cycle; a column's own are stored feature by feature.
double ClosedForm::embedding() const {
  const double row = std::max(width() * at_.tile_words(h_), h_);
  const double sum = (form_.row_kinds() - 1) * at_.add_tiles(h_, t_);
  return start() + form_.row_kinds() * (at_.issue() + t_ * row) + at_.hops(width()) + at_.ramps(1) + sum;
}

// The row's tiles leave one after another.
double ClosedForm::embedding_gradient() const {
  return start() + width() * at_.stream(static_cast<double>(h_) * t_) + at_.hops(width()) + at_.ramps(1);
}

double ClosedForm::loss() const {
  const int rows = call_.tile_outputs;
  const double targets = at_.issue() + layout_.lanes * t_ + at_.hops(width()) + at_.ramps(1);
  const double chunk = linear(rows, h_) + 2 * at_.move(t_) + loss_of_chunk();
  return start() + targets + 2 * at_.move(t_) + chunks_ * chunk + loss_of_chunks();
}

double ClosedForm::rescale() const { return at_.add(t_) + at_.function(t_, functions_.exp) + at_.multiply(t_); }

double ClosedForm::loss_of_chunk() const {
  const double a_logit = at_.maximum(t_) + at_.add(t_) + at_.function(t_, functions_.exp) + at_.add(t_) + at_.add(t_) + at_.scalars(3);
  return rescale() + call_.tile_outputs * a_logit;
}

double ClosedForm::loss_of_chunks() const {
  const double sums = at_.all_reduce(t_, layout_.columns) + rescale() + at_.all_reduce(2 * t_, layout_.columns);
  return sums + at_.function(t_, functions_.log) + 3 * at_.add(t_) + at_.fma(t_) + at_.stream(1) + column_chain();
}

double ClosedForm::logit_gradient() const { return start() + 2 * at_.move(t_) + linear(call_.tile_outputs, h_) + gradient_of_logits(); }

double ClosedForm::gradient_of_logits() const {
  const int rows = call_.tile_outputs;
  const double a_logit =
      at_.add(t_) + at_.function(t_, functions_.exp) + 2 * at_.add(t_) + at_.multiply(t_) + at_.convert(t_) + at_.scalars(3);
  return at_.clear_tiles(rows, t_) + rows * a_logit;
}

CallEnds ClosedForm::ends(const CallOutline& call) {
  call_ = call;
  h_ = call.tile_inputs;
  const double last_output = at_.triggered_fma(t_) + at_.stream(t_) + at_.chain_hop() * (layout_.columns - 1);
  switch (call.kind) {
    case CallKind::embedding: return {0, at_.hops(width()) + at_.ramps(1) + (form_.row_kinds() - 1) * at_.add_tiles(h_, t_)};
    case CallKind::linear: return {0, last_output};
    case CallKind::loss: return {0, last_output + loss_of_chunk() + loss_of_chunks()};
    case CallKind::logit_gradient: return {0, last_output + gradient_of_logits()};
    case CallKind::weight_gradient: return {start_at(0, 0) + a_gradient() + column_chain(), 0};
    case CallKind::embedding_gradient: return {start_at(0, 0), 0};
    default: return {};
  }
}

double ClosedForm::cycles(const CallOutline& call) {
  call_ = call;
  h_ = call.tile_inputs;
  switch (call.kind) {
    case CallKind::embedding: return embedding();
    case CallKind::layer_norm: return layer_norm();
    case CallKind::linear: return linear(call.tile_outputs, call.tile_inputs);
    case CallKind::rms_norm: return rms_norm();
    case CallKind::rms_norm_gradient: return rms_norm_gradient();
    case CallKind::share_keys: return share_keys();
    case CallKind::share_keys_gradient: return share_keys_gradient();
    case CallKind::rotary: return rotary();
    case CallKind::gelu_erf: return gelu_erf();
    case CallKind::gelu_erf_gradient: return gelu_erf_gradient();
    case CallKind::relu: return relu();
    case CallKind::relu_gradient: return relu_gradient();
    case CallKind::swiglu: return swiglu();
    case CallKind::swiglu_gradient: return swiglu_gradient();
    case CallKind::attention: return attention();
    case CallKind::gelu: return gelu();
    case CallKind::add: return add();
    case CallKind::loss: return loss();
    case CallKind::logit_gradient: return logit_gradient();
    case CallKind::weight_gradient: return weight_gradient();
    case CallKind::layer_norm_gradient: return layer_norm_gradient();
    case CallKind::attention_gradient: return attention_gradient();
    case CallKind::gelu_gradient: return gelu_gradient();
    case CallKind::embedding_gradient: return embedding_gradient();
    case CallKind::accumulate: return accumulate();
    case CallKind::round: return round();
  }
  return 0;
}

}  // namespace

CallEnds call_ends(const CallOutline& call, const LoweringSpec& spec, const models::MachineSpec& machine) {
  return ClosedForm(spec, machine).ends(call);
}

double closed_form_cycles(const CallOutline& call, const LoweringSpec& spec, const models::MachineSpec& machine) {
  return ClosedForm(spec, machine).cycles(call);
}

double kernel_switch_cycles(const Layout& layout, const models::MachineSpec& machine) {
  const double hops = static_cast<double>(layout.lanes * layout.columns + layout.rows - 2) * machine.fabric.hop_cycles;
  return hops + 6.0 * machine.fabric.ramp_cycles + 2.0 * machine.core.task_switch_cycles +
         scalars_of_a_completion * machine.core.scalar_cycles;
}

double estimate_step_cycles(const LoweringSpec& spec, const TrainingGraph& graph, const models::MachineSpec& machine) {
  const memoryx::LinkTiming link = memoryx::make_link_timing(machine.io, machine.core.clock, spec.layout.rows);
  const double between = kernel_switch_cycles(spec.layout, machine);
  const LinkLoads loads(spec, link);
  ClosedForm form(spec, machine);
  double cycles = 0;
  for (const CallOutline& call : outline_calls(spec, graph)) cycles += std::max(form.cycles(call), loads.busiest_cycles(call)) + between;
  return spec.micro_batches * cycles;
}

void fill_closed_forms(models::WaferPlan& plan, const LoweringSpec& spec, const TrainingGraph& graph, const models::MachineSpec& machine) {
  const std::vector<CallOutline> outlines = outline_calls(spec, graph);
  sim::require_invariant(outlines.size() == plan.calls.size(), "closed forms stand for the calls that lowering makes");
  ClosedForm form(spec, machine);
  for (std::size_t i = 0; i < outlines.size(); ++i) {
    const bool same = plan.calls[i].kernel == outlines[i].kernel && plan.calls[i].phase == outlines[i].phase;
    sim::require_invariant(same, "closed forms come in the order of the calls");
    plan.calls[i].closed_form_cycles = form.cycles(outlines[i]);
  }
}

}  // namespace wafersim::workloads
