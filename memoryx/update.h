#pragma once
// The end of a training step in MemoryX: unscale, look for overflow, clip, update, adapt the loss scale (workloads/NUMERICS.md, 16-17).
// A step whose gradients are not all finite changes no weight and no moment and does not advance AdamW's t; the schedule counts it.

#include <cstdint>

#include "memoryx/loss_scale.h"
#include "memoryx/optimizer.h"
#include "memoryx/parameter_store.h"
#include "memoryx/schedule.h"

namespace wafersim::memoryx {

struct UpdateSpec {
  OptimizerSpec optimizer;
  ScheduleSpec schedule;
  LossScaleSpec loss_scale;
  double clip = 0.0;  // largest gradient norm; 0 = no clipping
};

struct UpdateRecord {
  float gradient_norm = 0.0f;  // unscaled, before clipping
  double lr = 0.0;
  double loss_scale = 1.0;  // that the step's gradients carry
  bool skipped = false;
};

class Updater {
 public:
  explicit Updater(const UpdateSpec& spec) : spec_(spec), loss_scale_(spec.loss_scale) {}

  // The scale that the gradients of the coming step must carry.
  double loss_scale() const { return loss_scale_.value(); }
  // Applies the gradients in the store to its weights and moments.
  UpdateRecord finish_step(ParameterStore& store);

  // Saves or restores what a new one does not know.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(loss_scale_, step_, updates_);
  }

 private:
  UpdateSpec spec_;
  LossScale loss_scale_;
  std::int64_t step_ = 0;     // steps seen
  std::int64_t updates_ = 0;  // steps not skipped
};

}  // namespace wafersim::memoryx
