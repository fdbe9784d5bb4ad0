#include "memoryx/schedule.h"

namespace wafersim::memoryx {
namespace {

// cos(pi x) for 0 <= x <= 1 as sin(pi/2 - pi x), by the Taylor series of the sine to y^23: exact to a few 1e-16 for |y| <= pi/2.
double cos_pi(double x) {
  const double y = 3.14159265358979323846 * (0.5 - x);
  const double square = y * y;
  double sum = 0.0;
  for (int n = 23; n >= 3; n -= 2) sum = (1.0 + sum) * (-square / (static_cast<double>(n) * (n - 1)));
  return y * (1.0 + sum);
}

}  // namespace

double learning_rate(const ScheduleSpec& spec, double lr, std::int64_t step) {
  if (step < spec.warmup_steps) return lr * static_cast<double>(step + 1) / static_cast<double>(spec.warmup_steps + 1);
  switch (spec.kind) {
    case ScheduleSpec::Kind::constant: return lr;
    case ScheduleSpec::Kind::cosine: break;
  }
  if (step >= spec.decay_steps) return spec.min_lr;
  const double ratio = static_cast<double>(step - spec.warmup_steps) / static_cast<double>(spec.decay_steps - spec.warmup_steps);
  return spec.min_lr + 0.5 * (1.0 + cos_pi(ratio)) * (lr - spec.min_lr);
}

}  // namespace wafersim::memoryx
