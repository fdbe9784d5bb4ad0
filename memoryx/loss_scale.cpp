#include "memoryx/loss_scale.h"

namespace wafersim::memoryx {

void LossScale::update(bool overflow) {
  if (!spec_.dynamic) return;
  if (overflow) {
    value_ *= 0.5;
    good_steps_ = 0;
    return;
  }
  if (++good_steps_ == spec_.growth_interval) {
    value_ *= 2.0;
    good_steps_ = 0;
  }
}

}  // namespace wafersim::memoryx
