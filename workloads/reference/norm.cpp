#include "workloads/reference/norm.h"

#include "sim/numerics/elementary.h"
#include "sim/numerics/vector_ops.h"
#include "workloads/reference/linear.h"

namespace wafersim::workloads::reference {

namespace numerics = sim::numerics;

LayerNorm layer_norm(const Layout& layout, sim::Dtype type, const Tiles& x, const FeatureMap& map, int features, float epsilon,
                     const float* gain, const float* bias) {
  const std::size_t t = x.tokens();
  const float inverse = 1.0f / static_cast<float>(features);
  LayerNorm out{Tiles(layout, map.per_column), Tiles(layout, 1), Tiles(layout, 1)};
  Tiles centred(layout, map.per_column);
  for (int c = 0; c < layout.columns; ++c) {
    float* sum = out.mean.feature(c);
    for (int i = 0; i < map.valid(c); ++i) numerics::add(sum, sum, x.feature(c, i), t);
  }
  all_reduce_sum(out.mean, 0, layout.columns, 0);
  for (int c = 0; c < layout.columns; ++c) {
    float* mean = out.mean.feature(c);
    numerics::mul_scalar(mean, mean, inverse, t);
    float* variance = out.rstd.feature(c);
    for (int i = 0; i < map.valid(c); ++i) {
      float* d = centred.feature(c, i);
      numerics::sub(d, x.feature(c, i), mean, t);
      numerics::fma_vector(variance, d, d, t);
    }
  }
  all_reduce_sum(out.rstd, 0, layout.columns, 0);
  for (int c = 0; c < layout.columns; ++c) {
    float* rstd = out.rstd.feature(c);
    numerics::mul_scalar(rstd, rstd, inverse, t);
    numerics::add_scalar(rstd, rstd, epsilon, t);
    for (std::size_t n = 0; n < t; ++n) rstd[n] = numerics::rsqrt(rstd[n]);
    for (int i = 0; i < map.valid(c); ++i) {
      float* y = out.y.feature(c, i);
      numerics::mul(y, centred.feature(c, i), rstd, t);
      numerics::mul_scalar(y, y, gain[map.at(c, i)], t);
      numerics::add_scalar(y, y, bias[map.at(c, i)], t);
    }
  }
  round_to(type, out.y);
  return out;
}

Tiles layer_norm_gradient(const Layout& layout, sim::Dtype type, const Tiles& x, const Tiles& mean, const Tiles& rstd, const Tiles& dy,
                          const FeatureMap& map, int features, const float* gain, float* gain_out, float* bias_out) {
  const std::size_t t = x.tokens();
  const float inverse = 1.0f / static_cast<float>(features);
  Tiles xhat(layout, map.per_column);
  Tiles dx(layout, map.per_column);  // first dxhat, then dx
  Tiles sums(layout, 2);             // place 0: of dxhat, place 1: of dxhat * xhat
  for (int c = 0; c < layout.columns; ++c)
    for (int i = 0; i < map.valid(c); ++i) {
      float* xh = xhat.feature(c, i);
      float* dxh = dx.feature(c, i);
      numerics::sub(xh, x.feature(c, i), mean.feature(c), t);
      numerics::mul(xh, xh, rstd.feature(c), t);
      numerics::mul_scalar(dxh, dy.feature(c, i), gain[map.at(c, i)], t);
      numerics::add(sums.feature(c, 0), sums.feature(c, 0), dxh, t);
      numerics::fma_vector(sums.feature(c, 1), dxh, xh, t);
    }
  all_reduce_sum(sums, 0, layout.columns, 0);
  all_reduce_sum(sums, 0, layout.columns, 1);
  for (int c = 0; c < layout.columns; ++c) {
    float* a = sums.feature(c, 0);
    float* minus_b = sums.feature(c, 1);
    numerics::mul_scalar(a, a, inverse, t);
    numerics::mul_scalar(minus_b, minus_b, inverse, t);
    numerics::mul_scalar(minus_b, minus_b, -1.0f, t);
    for (int i = 0; i < map.valid(c); ++i) {
      float* u = dx.feature(c, i);
      numerics::sub(u, u, a, t);
      numerics::fma_vector(u, xhat.feature(c, i), minus_b, t);
      numerics::mul(u, u, rstd.feature(c), t);
    }
  }
  bias_gradient(layout, dy, map, [&](int feature, float g) { bias_out[feature] = g; });
  for (int c = 0; c < layout.columns; ++c)
    for (int i = 0; i < map.valid(c); ++i) gain_out[map.at(c, i)] = gain_gradient(layout, dy, xhat, c, i);
  round_to(type, dx);
  return dx;
}

}  // namespace wafersim::workloads::reference
