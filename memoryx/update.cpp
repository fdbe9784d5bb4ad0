#include "memoryx/update.h"

namespace wafersim::memoryx {

UpdateRecord Updater::finish_step(ParameterStore& store) {
  const float unscale = static_cast<float>(1.0 / loss_scale_.value());
  const GradientSummary summary = summarize_gradients(store, unscale);
  const UpdateRecord record{summary.norm, learning_rate(spec_.schedule, spec_.optimizer.lr, step_), loss_scale_.value(), !summary.finite};
  ++step_;
  loss_scale_.update(record.skipped);
  if (record.skipped) return record;
  ++updates_;
  const float clip = clip_factor(spec_.clip, summary.norm);
  update_range(store, spec_.optimizer, update_scalars(spec_.optimizer, record.lr, updates_, unscale, clip), 0, store.size());
  return record;
}

}  // namespace wafersim::memoryx
