#include "workloads/tensor_uses.h"

#include <algorithm>

#include "memoryx/stream_work.h"
#include "workloads/family.h"

namespace wafersim::workloads {
namespace {

constexpr double parts = memoryx::blocks_a_call;  // of a call: what the store reads at a time

}  // namespace

TensorUses::TensorUses(const LoweringSpec& spec, const TrainingGraph& graph)
    : spec_(spec), graph_(graph), table_(parameter_table(spec.shape)) {}

void TensorUses::add(const CallOutline& call, Uses& reads, Uses& gradients) const {
  const TrainingOp& op = graph_.ops[static_cast<std::size_t>(call.op)];
  const double tokens = static_cast<double>(spec_.layout.batch) * spec_.layout.sequence, width = spec_.shape.width;
  switch (call.kind) {
    case CallKind::embedding:  // rows of one table after those of another
      for (std::size_t i = 0; i < op.parameters.size(); ++i) {
        const double part = 1.0 / static_cast<double>(op.parameters.size()), place = static_cast<double>(i);
        reads.push_back({op.parameters[i], tokens * width, width, i == 0, place * part, (place + 1) * part});
      }
      break;
    case CallKind::embedding_gradient:
      for (const int parameter : op.gradients) gradients.push_back({parameter, tokens * width, width, true});
      break;
    case CallKind::linear:
      if (op.kind == TrainingKind::loss_gradient)
        reads.push_back({op.parameters[0], chunk(call, op.parameters[0]), width / parts});
      else
        linear(op, call, reads);
      break;
    case CallKind::logit_gradient:
      for (const int parameter : op.parameters) reads.push_back({parameter, chunk(call, parameter), 0});
      break;
    case CallKind::weight_gradient:
      for (const int parameter : op.gradients)
        gradients.push_back({parameter, op.kind == TrainingKind::loss_gradient ? chunk(call, parameter) : size(parameter), 0});
      break;
    case CallKind::layer_norm_gradient:
    case CallKind::rms_norm_gradient:
      reads.push_back({op.parameters[0], width, 0});  // gains
      for (const int parameter : op.gradients) gradients.push_back({parameter, width, 0});
      break;
    case CallKind::accumulate:
    case CallKind::round: break;
    case CallKind::loss: stacked(op.parameters, call, 0, reads); break;
    default:
      for (const int parameter : op.parameters) reads.push_back({parameter, size(parameter), 0});
  }
}

// What a call for a chunk of the vocabulary takes of a tensor whose rows are entries of the vocabulary.
double TensorUses::chunk(const CallOutline& call, int parameter) const {
  return size(parameter) / spec_.shape.vocabulary * (call.kind == CallKind::linear ? call.inputs : call.outputs);
}

// A matrix lies row by row; one whose columns are the call's outputs is read a part of each row at a time.
void TensorUses::linear(const TrainingOp& op, const CallOutline& call, Uses& reads) const {
  const bool forward = op.kind == TrainingKind::linear;
  const bool outputs_are_columns = (family_form(spec_.shape).order == MatrixOrder::in_out) == forward;
  const int matrix = op.parameters[0];
  const double run = outputs_are_columns ? table_[matrix].shape[1] / parts : 0;
  if (forward) return stacked(op.parameters, call, run, reads);
  for (const int parameter : op.parameters)
    if (is_matrix(parameter)) reads.push_back({parameter, size(parameter), run});
}

// Matrices whose outputs lie side by side in each column, column after column; then the biases. The loss does so chunk after chunk of the
// vocabulary.
void TensorUses::stacked(const std::vector<int>& parameters, const CallOutline& call, double run, Uses& reads) const {
  const double columns = spec_.layout.columns,
               matrices = static_cast<double>(std::count_if(parameters.begin(), parameters.end(), [&](int p) { return is_matrix(p); }));
  const double biases = call.bias ? words_of(call.tile_outputs, spec_.type) : 0;
  const double last = 1 - biases / (columns * call.tile_outputs * words_of(call.tile_inputs, spec_.type) + biases);
  const double first_bias = call.kind == CallKind::loss ? last / spec_.chunks() : last;
  const double width = last / (columns * matrices);  // of a column's outputs of one matrix, in the call's words
  double before = 0, after = matrices - 1;
  for (const int parameter : parameters)
    if (is_matrix(parameter))
      reads.push_back({parameter, size(parameter), run, false, before++ * width, last - after-- * width});
    else
      reads.push_back({parameter, size(parameter), 0, false, first_bias, 1});
}

}  // namespace wafersim::workloads
