#include "workloads/step_schedule.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "memoryx/link_timing.h"
#include "memoryx/stream_work.h"
#include "sim/error.h"
#include "workloads/closed_form.h"
#include "workloads/family.h"
#include "workloads/kernels/colors.h"
#include "workloads/link_load.h"

namespace wafersim::workloads {
namespace {

constexpr double parts = memoryx::blocks_a_call;  // of a call: what the store reads at a time

class Scheduler {
 public:
  Scheduler(const LoweringSpec& spec, const TrainingGraph& graph) : spec_(spec), graph_(graph), table_(parameter_table(spec.shape)) {}

  void uses(const CallOutline& call, models::ScheduledCall& made) const {
    const TrainingOp& op = graph_.ops[static_cast<std::size_t>(call.op)];
    const double tokens = static_cast<double>(spec_.layout.batch) * spec_.layout.sequence, width = spec_.shape.width;
    switch (call.kind) {
      case CallKind::embedding:  // rows of one table after those of another
        for (std::size_t i = 0; i < op.parameters.size(); ++i) {
          const double part = 1.0 / static_cast<double>(op.parameters.size()), place = static_cast<double>(i);
          made.reads.push_back({op.parameters[i], tokens * width, width, i == 0, place * part, (place + 1) * part});
        }
        break;
      case CallKind::embedding_gradient:
        for (const int parameter : op.gradients) made.gradients.push_back({parameter, tokens * width, width, true});
        break;
      case CallKind::linear:
        if (op.kind == TrainingKind::loss_gradient)
          made.reads.push_back({op.parameters[0], chunk(call, op.parameters[0]), width / parts});
        else
          linear(op, call, made);
        break;
      case CallKind::logit_gradient:
        for (const int parameter : op.parameters) made.reads.push_back({parameter, chunk(call, parameter), 0});
        break;
      case CallKind::weight_gradient:
        for (const int parameter : op.gradients)
          made.gradients.push_back({parameter, op.kind == TrainingKind::loss_gradient ? chunk(call, parameter) : size(parameter), 0});
        break;
      case CallKind::layer_norm_gradient:
      case CallKind::rms_norm_gradient:
        made.reads.push_back({op.parameters[0], width, 0});  // gains
        for (const int parameter : op.gradients) made.gradients.push_back({parameter, width, 0});
        break;
      case CallKind::accumulate:
      case CallKind::round: break;
      case CallKind::loss: stacked(op.parameters, call, 0, made); break;
      default:
        for (const int parameter : op.parameters) made.reads.push_back({parameter, size(parameter), 0});
    }
  }

  const memoryx::ParameterTable& table() const { return table_; }

 private:
  double size(int parameter) const { return static_cast<double>(table_[parameter].size); }
  // What a call for a chunk of the vocabulary takes of a tensor whose rows are entries of the vocabulary.
  double chunk(const CallOutline& call, int parameter) const {
    return size(parameter) / spec_.shape.vocabulary * (call.kind == CallKind::linear ? call.inputs : call.outputs);
  }
  // A matrix lies row by row; one whose columns are the call's outputs is read a part of each row at a time.
  void linear(const TrainingOp& op, const CallOutline& call, models::ScheduledCall& made) const {
    const bool forward = op.kind == TrainingKind::linear;
    const bool outputs_are_columns = (family_form(spec_.shape).order == MatrixOrder::in_out) == forward;
    const int matrix = op.parameters[0];
    const double run = outputs_are_columns ? table_[matrix].shape[1] / parts : 0;
    if (forward) return stacked(op.parameters, call, run, made);
    for (const int parameter : op.parameters)
      if (is_matrix(parameter)) made.reads.push_back({parameter, size(parameter), run});
  }
  bool is_matrix(int parameter) const { return table_[parameter].shape.size() > 1; }
  // Matrices whose outputs lie side by side in each column, column after column; then the biases. The loss does so chunk after chunk of the
  // vocabulary.
  void stacked(const std::vector<int>& parameters, const CallOutline& call, double run, models::ScheduledCall& made) const {
    const double columns = spec_.layout.columns,
                 matrices = static_cast<double>(std::count_if(parameters.begin(), parameters.end(), [&](int p) { return is_matrix(p); }));
    const double biases = call.bias ? words_of(call.tile_outputs, spec_.type) : 0;
    const double last = 1 - biases / (columns * call.tile_outputs * words_of(call.tile_inputs, spec_.type) + biases);
    const double first_bias = call.kind == CallKind::loss ? last / spec_.chunks() : last;
    const double width = last / (columns * matrices);  // of a column's outputs of one matrix, in the call's words
    double before = 0, after = matrices - 1;
    for (const int parameter : parameters)
      if (is_matrix(parameter))
        made.reads.push_back({parameter, size(parameter), run, false, before++ * width, last - after-- * width});
      else
        made.reads.push_back({parameter, size(parameter), 0, false, first_bias, 1});
  }

  const LoweringSpec& spec_;
  const TrainingGraph& graph_;
  memoryx::ParameterTable table_;
};

}  // namespace

models::StepSchedule make_schedule(const LoweringSpec& spec, const TrainingGraph& graph, const std::vector<CallTime>& times,
                                   const models::MachineSpec& machine, int edge_queue_words) {
  const std::vector<CallOutline> outlines = outline_calls(spec, graph);
  sim::require_invariant(outlines.size() == times.size(), "every call has its time");
  models::StepSchedule schedule;
  schedule.micro_batches = spec.micro_batches;
  schedule.link = memoryx::make_link_timing(machine.io, machine.core.clock, spec.layout.rows);
  const Scheduler scheduler(spec, graph);
  const LinkLoads link_loads(spec, schedule.link);
  for (const memoryx::ParameterEntry& entry : scheduler.table().entries())
    schedule.tensor_elements.push_back(static_cast<double>(entry.size));
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
    scheduler.uses(call, made);
    schedule.calls.push_back(std::move(made));
  }
  return schedule;
}

}  // namespace wafersim::workloads
