#include "memoryx/optimizer.h"

#include <algorithm>
#include <cmath>

namespace wafersim::memoryx {
namespace {

// base^exponent by squaring: IEEE multiplications only, so every host gives the same bits.
double power(double base, std::int64_t exponent) {
  double result = 1.0;
  for (double square = base; exponent > 0; exponent /= 2, square *= square)
    if (exponent % 2 == 1) result *= square;
  return result;
}

void adamw(ParameterStore& store, const UpdateScalars& s, bool decayed, std::size_t begin, std::size_t end) {
  for (std::size_t e = begin; e < end; ++e) {
    const float g = (store.gradients()[e] * s.unscale) * s.clip;
    float& w = store.weights()[e];
    float& m = store.first_moments()[e];
    float& v = store.second_moments()[e];
    if (decayed) w = w * s.keep;
    m = m * s.beta1 + s.beta1_rest * g;
    v = v * s.beta2 + (s.beta2_rest * g) * g;
    w = w + (s.negative_step * m) / (std::sqrt(v) / s.bias2_root + s.eps);
  }
}

void sgd(ParameterStore& store, const UpdateScalars& s, bool decayed, std::size_t begin, std::size_t end) {
  for (std::size_t e = begin; e < end; ++e) {
    const float g = (store.gradients()[e] * s.unscale) * s.clip;
    float& w = store.weights()[e];
    if (decayed) w = w * s.keep;
    w = w + s.negative_step * g;
  }
}

}  // namespace

GradientSummary summarize_gradients(const ParameterStore& store, float unscale) {
  double sum = 0.0;
  bool finite = true;
  for (const float scaled : store.gradients()) {
    const float g = scaled * unscale;
    finite = finite && std::isfinite(g);
    sum += static_cast<double>(g) * static_cast<double>(g);
  }
  return {static_cast<float>(std::sqrt(sum)), finite};
}

float clip_factor(double clip, float norm) {
  if (clip <= 0.0) return 1.0f;
  return std::min(1.0f, static_cast<float>(clip) / (norm + 1e-6f));
}

UpdateScalars update_scalars(const OptimizerSpec& spec, double lr, std::int64_t t, float unscale, float clip) {
  UpdateScalars s;
  s.unscale = unscale;
  s.clip = clip;
  s.keep = static_cast<float>(1.0 - lr * spec.weight_decay);
  switch (spec.kind) {
    case OptimizerSpec::Kind::adamw:
      s.beta1 = static_cast<float>(spec.beta1);
      s.beta1_rest = static_cast<float>(1.0 - spec.beta1);
      s.beta2 = static_cast<float>(spec.beta2);
      s.beta2_rest = static_cast<float>(1.0 - spec.beta2);
      s.bias2_root = static_cast<float>(std::sqrt(1.0 - power(spec.beta2, t)));
      s.eps = static_cast<float>(spec.eps);
      s.negative_step = static_cast<float>(-(lr / (1.0 - power(spec.beta1, t))));
      break;
    case OptimizerSpec::Kind::sgd: s.negative_step = static_cast<float>(-lr); break;
  }
  return s;
}

void update_range(ParameterStore& store, const OptimizerSpec& spec, const UpdateScalars& scalars, std::size_t begin, std::size_t end) {
  for (const ParameterEntry& entry : store.table().entries()) {
    const std::size_t from = std::max(begin, entry.offset);
    const std::size_t to = std::min(end, entry.offset + entry.size);
    if (from >= to) continue;
    switch (spec.kind) {
      case OptimizerSpec::Kind::adamw: adamw(store, scalars, entry.decayed, from, to); break;
      case OptimizerSpec::Kind::sgd: sgd(store, scalars, entry.decayed, from, to); break;
    }
  }
}

}  // namespace wafersim::memoryx
