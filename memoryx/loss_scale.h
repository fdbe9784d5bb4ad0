#pragma once
// Dynamic loss scaling: the scale doubles after `growth_interval` good steps in a row and halves on a step whose gradients overflowed.
// Powers of two times the initial value: scaling and unscaling by a power of two loses no bit.

#include <cstdint>

namespace wafersim::memoryx {

struct LossScaleSpec {
  double initial = 65536.0;
  std::int64_t growth_interval = 2000;  // good steps between doublings
  bool dynamic = true;                  // false: the scale stays at `initial`
};

// The scale that an fp32 run uses: constant 1.
constexpr LossScaleSpec no_loss_scale() { return {1.0, 1, false}; }

class LossScale {
 public:
  explicit LossScale(const LossScaleSpec& spec) : spec_(spec), value_(spec.initial) {}

  double value() const { return value_; }
  // To be called once a step, after its gradients are known: `overflow` when one of them is not finite.
  void update(bool overflow);

  template <class Archive>
  void serialize(Archive& archive) {
    archive(value_, good_steps_);
  }

 private:
  LossScaleSpec spec_;
  double value_;
  std::int64_t good_steps_ = 0;
};

}  // namespace wafersim::memoryx
