#include "workloads/step_schedule.h"

#include <map>
#include <tuple>

#include "memoryx/link_timing.h"
#include "sim/error.h"
#include "workloads/link_load.h"

namespace wafersim::workloads {
namespace {

using models::TensorUse;

constexpr double parts = 16;  // of a call: what the store reads at a time

class Scheduler {
 public:
  Scheduler(const LoweringSpec& spec, const TrainingGraph& graph) : spec_(spec), graph_(graph), table_(parameter_table(spec.shape)) {}

  void uses(const CallOutline& call, models::ScheduledCall& made) const {
    const TrainingOp& op = graph_.ops[static_cast<std::size_t>(call.op)];
    const double matrix = static_cast<double>(call.inputs) * call.outputs,
                 tokens = static_cast<double>(spec_.layout.batch) * spec_.layout.sequence;
    const double width = spec_.shape.width;
    switch (call.kind) {
      case CallKind::embedding:
        for (const int parameter : op.parameters) made.reads.push_back({parameter, tokens * width, width});
        break;
      case CallKind::layer_norm:
        for (const int parameter : op.parameters) made.reads.push_back({parameter, width, 0});
        break;
      case CallKind::layer_norm_gradient:
        made.reads.push_back({op.parameters[0], width, 0});
        for (const int parameter : op.gradients) made.gradients.push_back({parameter, width, 0});
        break;
      case CallKind::linear: {
        // A tensor's elements lie row by row; outputs that are its columns are read a part of each row at a time.
        const bool outputs_are_columns = call.backward == (op.kind == TrainingKind::loss_gradient);
        made.reads.push_back({op.parameters[0], matrix, outputs_are_columns ? call.outputs / parts : 0});
        if (call.bias) made.reads.push_back({op.parameters[1], static_cast<double>(call.outputs), 0});
        break;
      }
      case CallKind::loss:
      case CallKind::logit_gradient: made.reads.push_back({op.parameters[0], matrix, 0}); break;
      case CallKind::weight_gradient:
        made.gradients.push_back({op.gradients[0], matrix, 0});
        if (op.gradients.size() > 1) made.gradients.push_back({op.gradients[1], static_cast<double>(call.outputs), 0});
        break;
      case CallKind::embedding_gradient:
        for (const int parameter : op.gradients) made.gradients.push_back({parameter, tokens * width, width});
        break;
      case CallKind::attention:
      case CallKind::gelu:
      case CallKind::add:
      case CallKind::attention_gradient:
      case CallKind::gelu_gradient:
      case CallKind::accumulate:
      case CallKind::round: break;
    }
  }

  const memoryx::ParameterTable& table() const { return table_; }

 private:
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
  schedule.link = memoryx::make_link_timing(machine.io, machine.core.clock, spec.layout.rows);
  const Scheduler scheduler(spec, graph);
  for (const memoryx::ParameterEntry& entry : scheduler.table().entries())
    schedule.tensor_elements.push_back(static_cast<double>(entry.size));
  std::map<std::tuple<CallKind, int, int, int, bool>, int> loads;  // calls that put the same words on the link share a load
  for (std::size_t k = 0; k < outlines.size(); ++k) {
    const CallOutline& call = outlines[k];
    const auto [known, is_new] = loads.try_emplace({call.kind, call.inputs, call.tile_inputs, call.tile_outputs, call.bias},
                                                   static_cast<int>(schedule.loads.size()));
    if (is_new) schedule.loads.push_back(link_load(call, spec, schedule.link, edge_queue_words));
    models::ScheduledCall made;
    made.kernel = call.kernel;
    made.phase = call.phase;
    made.layer = call.layer;
    made.active_cycles = times[k].active;
    made.period_cycles = times[k].period;
    made.load = known->second;
    scheduler.uses(call, made);
    schedule.calls.push_back(std::move(made));
  }
  return schedule;
}

}  // namespace wafersim::workloads
