#include "workloads/reference/rms_norm.h"

#include "sim/numerics/elementary.h"
#include "sim/numerics/vector_ops.h"
#include "workloads/reference/linear.h"

namespace wafersim::workloads::reference {

namespace numerics = sim::numerics;

RmsNorm rms_norm(const Layout& layout, sim::Dtype type, const Tiles& x, const FeatureMap& map, int features, float epsilon,
                 const float* gain) {
  const std::size_t t = x.tokens();
  const float inverse = 1.0f / static_cast<float>(features);
  RmsNorm out{Tiles(layout, map.per_column), Tiles(layout, 1)};
  for (int c = 0; c < layout.columns; ++c)
    for (int i = 0; i < map.valid(c); ++i) numerics::fma_vector(out.rstd.feature(c), x.feature(c, i), x.feature(c, i), t);
  all_reduce_sum(out.rstd, 0, layout.columns, 0);
  for (int c = 0; c < layout.columns; ++c) {
    float* rstd = out.rstd.feature(c);
    numerics::mul_scalar(rstd, rstd, inverse, t);
    numerics::add_scalar(rstd, rstd, epsilon, t);
    for (std::size_t n = 0; n < t; ++n) rstd[n] = numerics::rsqrt(rstd[n]);
    for (int i = 0; i < map.valid(c); ++i) {
      float* y = out.y.feature(c, i);
      numerics::mul(y, x.feature(c, i), rstd, t);
      numerics::mul_scalar(y, y, gain[map.at(c, i)], t);
    }
  }
  round_to(type, out.y);
  return out;
}

Tiles rms_norm_gradient(const Layout& layout, sim::Dtype type, const Tiles& x, const Tiles& rstd, const Tiles& dy, const FeatureMap& map,
                        int features, const float* gain, float* gain_out) {
  const std::size_t t = x.tokens();
  const float inverse = 1.0f / static_cast<float>(features);
  Tiles xhat(layout, map.per_column);
  Tiles dx(layout, map.per_column);  // first dxhat, then dx
  Tiles sums(layout, 1);             // of dxhat * xhat
  for (int c = 0; c < layout.columns; ++c)
    for (int i = 0; i < map.valid(c); ++i) {
      float* xh = xhat.feature(c, i);
      float* dxh = dx.feature(c, i);
      numerics::mul(xh, x.feature(c, i), rstd.feature(c), t);
      numerics::mul_scalar(dxh, dy.feature(c, i), gain[map.at(c, i)], t);
      numerics::fma_vector(sums.feature(c), dxh, xh, t);
    }
  all_reduce_sum(sums, 0, layout.columns, 0);
  for (int c = 0; c < layout.columns; ++c) {
    float* minus_b = sums.feature(c);
    numerics::mul_scalar(minus_b, minus_b, inverse, t);
    numerics::mul_scalar(minus_b, minus_b, -1.0f, t);
    for (int i = 0; i < map.valid(c); ++i) {
      float* u = dx.feature(c, i);
      numerics::fma_vector(u, xhat.feature(c, i), minus_b, t);
      numerics::mul(u, u, rstd.feature(c), t);
    }
  }
  for (int c = 0; c < layout.columns; ++c)
    for (int i = 0; i < map.valid(c); ++i) gain_out[map.at(c, i)] = gain_gradient(layout, dy, xhat, c, i);
  round_to(type, dx);
  return dx;
}

}  // namespace wafersim::workloads::reference
