#include "workloads/reference/reference_trainer.h"

#include <utility>

#include "workloads/graph.h"

namespace wafersim::workloads::reference {

ReferenceTrainer::ReferenceTrainer(const LoweringSpec& spec, const memoryx::UpdateSpec& update, memoryx::ParameterStore store)
    : spec_(spec), graph_(differentiate(build_model(spec.shape), spec.recompute)), updater_(update), store_(std::move(store)) {}

StepRecord ReferenceTrainer::step(const std::vector<std::uint32_t>& tokens, const std::vector<std::uint32_t>& targets) {
  StepValues values = run_step(spec_, graph_, store_.weights(), tokens, targets, updater_.loss_scale());
  store_.gradients() = std::move(values.gradients);
  return {values.loss, updater_.finish_step(store_)};
}

}  // namespace wafersim::workloads::reference
