#pragma once
// Learning rate of a step. Warm-up is linear: lr * (step + 1) / (warmup_steps + 1); then constant, or a half cosine that reaches
// min_lr at `decay_steps` and stays there (nanoGPT's get_lr). The cosine is our own, so that every host gives the same bits.

#include <cstdint>

namespace wafersim::memoryx {

struct ScheduleSpec {
  enum class Kind { constant, cosine };
  Kind kind = Kind::constant;
  std::int64_t warmup_steps = 0;
  std::int64_t decay_steps = 0;  // step at which cosine has reached min_lr
  double min_lr = 0.0;
};

// `step` counts from 0 over all steps, skipped ones included; `lr` is the peak.
double learning_rate(const ScheduleSpec& spec, double lr, std::int64_t step);

}  // namespace wafersim::memoryx
