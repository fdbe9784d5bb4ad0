#pragma once
// What the kernel calls of a step read of the parameter store's tensors, and whose gradients they make.

#include <vector>

#include "memoryx/parameter_table.h"
#include "memoryx/store_work.h"
#include "workloads/call_outline.h"

namespace wafersim::workloads {

class TensorUses {
 public:
  // spec and graph, those of the calls, outlive this.
  TensorUses(const LoweringSpec& spec, const TrainingGraph& graph);

  // Adds those of a call; tensors are numbered as in the table.
  void add(const CallOutline& call, std::vector<memoryx::TensorUse>& reads, std::vector<memoryx::TensorUse>& gradients) const;

  const memoryx::ParameterTable& table() const { return table_; }

 private:
  using Uses = std::vector<memoryx::TensorUse>;

  double size(int parameter) const { return static_cast<double>(table_[parameter].size); }
  bool is_matrix(int parameter) const { return table_[parameter].shape.size() > 1; }
  double chunk(const CallOutline& call, int parameter) const;
  void linear(const TrainingOp& op, const CallOutline& call, Uses& reads) const;
  void stacked(const std::vector<int>& parameters, const CallOutline& call, double run, Uses& reads) const;

  const LoweringSpec& spec_;
  const TrainingGraph& graph_;
  memoryx::ParameterTable table_;
};

}  // namespace wafersim::workloads
