#include <nlohmann/json.hpp>

#include "models/machine_config.h"
#include "workloads/run_spec.h"

namespace wafersim::workloads {
namespace {

using nlohmann::ordered_json;

ordered_json training_to_json(const TrainingSpec& training, bool scaled) {
  const memoryx::UpdateSpec& update = training.update;
  const bool adamw = update.optimizer.kind == memoryx::OptimizerSpec::Kind::adamw;
  const bool constant = update.schedule.kind == memoryx::ScheduleSpec::Kind::constant;
  ordered_json out = {{"batch", training.batch}, {"sequence", training.sequence}, {"steps", training.steps}, {"clip", update.clip}};
  if (training.tokens > 0) out["tokens"] = training.tokens;
  out["optimizer"] = {{"kind", adamw ? "adamw" : "sgd"}, {"lr", update.optimizer.lr},   {"beta1", update.optimizer.beta1},
                      {"beta2", update.optimizer.beta2}, {"eps", update.optimizer.eps}, {"weight_decay", update.optimizer.weight_decay}};
  out["schedule"] = {{"kind", constant ? "constant" : "cosine"},
                     {"warmup_steps", update.schedule.warmup_steps},
                     {"decay_steps", update.schedule.decay_steps},
                     {"min_lr", update.schedule.min_lr}};
  if (scaled) {
    out["loss_scale"] = {{"initial", update.loss_scale.initial},
                         {"growth_interval", update.loss_scale.growth_interval},
                         {"dynamic", update.loss_scale.dynamic}};
  }
  return out;
}

// Only what is pinned: the mapper's choices are the plan's to report.
ordered_json mapping_to_json(const MappingSpec& mapping) {
  const fabric::Rectangle& part = mapping.rectangle;
  ordered_json out;
  out["rectangle"] = {{"x", part.x}, {"y", part.y}, {"width", part.width}, {"height", part.height}};
  if (mapping.lanes > 0) out["lanes"] = mapping.lanes;
  if (mapping.tokens_per_pe > 0) out["tokens_per_pe"] = mapping.tokens_per_pe;
  if (mapping.features_per_pe > 0) out["features_per_pe"] = mapping.features_per_pe;
  if (mapping.micro_batches > 0) out["micro_batches"] = mapping.micro_batches;
  if (mapping.recompute) out["recompute"] = recompute_to_json(*mapping.recompute);
  return out;
}

}  // namespace

ordered_json run_spec_to_json(const RunSpec& spec) {
  const bool scaled = spec.dtype == sim::Dtype::f16;
  ordered_json out;
  if (!spec.about.empty()) out["about"] = spec.about;
  out["machine"] = spec.machine.name;
  out["machine_overrides"] = models::machine_to_json(spec.machine);
  out["systems"] = spec.systems;
  out["model"] = {{"name", spec.model_name}, {"config", hf_config_to_json(spec.model)}};
  if (!spec.initial_weights.empty()) out["weights"]["initial"] = spec.initial_weights.string();
  if (!spec.final_weights.empty()) out["weights"]["final"] = spec.final_weights.string();
  if (!spec.data.path.empty()) out["data"][spec.data.kind == DataSpec::Kind::text ? "text" : "tokens"] = spec.data.path.string();
  out["training"] = training_to_json(spec.training, scaled);
  out["mapping"] = mapping_to_json(spec.mapping);
  out["dtype"] = sim::storage_name(spec.dtype);
  out["fidelity"] = name(spec.fidelity);
  out["numerics"] = spec.numerics ? "on" : "off";
  out["threads"] = spec.threads;
  out["seed"] = spec.seed;
  return out;
}

}  // namespace wafersim::workloads
