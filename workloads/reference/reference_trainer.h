#pragma once
// Trains a model without time: reference steps, and MemoryX's updates between them.

#include <cstdint>
#include <vector>

#include "memoryx/update.h"
#include "workloads/reference/executor.h"

namespace wafersim::workloads::reference {

struct StepRecord {
  double loss = 0.0;
  memoryx::UpdateRecord update;
};

class ReferenceTrainer {
 public:
  // `store`: of parameter_table(spec.shape), with the initial weights.
  ReferenceTrainer(const LoweringSpec& spec, const memoryx::UpdateSpec& update, memoryx::ParameterStore store);

  // tokens, targets [sample * sequence + position]. Afterwards the store holds the step's gradients and the updated weights.
  StepRecord step(const std::vector<std::uint32_t>& tokens, const std::vector<std::uint32_t>& targets);
  const memoryx::ParameterStore& store() const { return store_; }

  // Saves or restores what a new trainer does not know.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(updater_, store_);
  }

 private:
  LoweringSpec spec_;
  TrainingGraph graph_;
  memoryx::Updater updater_;
  memoryx::ParameterStore store_;
};

}  // namespace wafersim::workloads::reference
