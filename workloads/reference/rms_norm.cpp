#include "workloads/reference/rms_norm.h"

#include "sim/numerics/elementary.h"
#include "sim/numerics/vector_ops.h"

namespace wafersim::workloads::reference {

namespace numerics = sim::numerics;

RmsNorm rms_norm(const Layout& layout, sim::Dtype type, const Tiles& x, const FeatureMap& map, int features, float epsilon,
                 const float* gain) {
  const auto t = static_cast<std::size_t>(x.slots());
  const float inverse = 1.0f / static_cast<float>(features);
  RmsNorm out{Tiles(layout, map.per_column), Tiles(layout, 1)};
  for (int lane = 0; lane < layout.lanes; ++lane)
    for (int row = 0; row < layout.rows; ++row) {
      for (int c = 0; c < layout.columns; ++c)
        for (int i = 0; i < map.valid(c); ++i)
          numerics::fma_vector(out.rstd.at(lane, row, c), x.at(lane, row, c, i), x.at(lane, row, c, i), t);
      all_reduce_sum(out.rstd, lane, row, 0, layout.columns, 0);
      for (int c = 0; c < layout.columns; ++c) {
        float* rstd = out.rstd.at(lane, row, c);
        numerics::mul_scalar(rstd, rstd, inverse, t);
        numerics::add_scalar(rstd, rstd, epsilon, t);
        for (std::size_t n = 0; n < t; ++n) rstd[n] = numerics::rsqrt(rstd[n]);
        for (int i = 0; i < map.valid(c); ++i) {
          float* y = out.y.at(lane, row, c, i);
          numerics::mul(y, x.at(lane, row, c, i), rstd, t);
          numerics::mul_scalar(y, y, gain[map.at(c, i)], t);
        }
      }
    }
  round_to(type, out.y);
  return out;
}

Tiles rms_norm_gradient(const Layout& layout, sim::Dtype type, const Tiles& x, const Tiles& rstd, const Tiles& dy, const FeatureMap& map,
                        int features, const float* gain, float* gain_gradient) {
  const auto t = static_cast<std::size_t>(x.slots());
  const float inverse = 1.0f / static_cast<float>(features);
  Tiles xhat(layout, map.per_column);
  Tiles dx(layout, map.per_column);  // first dxhat, then dx
  Tiles sums(layout, 1);             // of dxhat * xhat
  for (int lane = 0; lane < layout.lanes; ++lane)
    for (int row = 0; row < layout.rows; ++row) {
      for (int c = 0; c < layout.columns; ++c)
        for (int i = 0; i < map.valid(c); ++i) {
          float* xh = xhat.at(lane, row, c, i);
          float* dxh = dx.at(lane, row, c, i);
          numerics::mul(xh, x.at(lane, row, c, i), rstd.at(lane, row, c), t);
          numerics::mul_scalar(dxh, dy.at(lane, row, c, i), gain[map.at(c, i)], t);
          numerics::fma_vector(sums.at(lane, row, c), dxh, xh, t);
        }
      all_reduce_sum(sums, lane, row, 0, layout.columns, 0);
      for (int c = 0; c < layout.columns; ++c) {
        float* minus_b = sums.at(lane, row, c);
        numerics::mul_scalar(minus_b, minus_b, inverse, t);
        numerics::mul_scalar(minus_b, minus_b, -1.0f, t);
        for (int i = 0; i < map.valid(c); ++i) {
          float* u = dx.at(lane, row, c, i);
          numerics::fma_vector(u, xhat.at(lane, row, c, i), minus_b, t);
          numerics::mul(u, u, rstd.at(lane, row, c), t);
        }
      }
    }
  for (int c = 0; c < layout.columns; ++c)
    for (int i = 0; i < map.valid(c); ++i) {
      std::vector<float> parts;
      for (int lane = 0; lane < layout.lanes; ++lane)
        for (int row = 0; row < layout.rows; ++row) {
          float g = 0.0f;
          for (std::size_t n = 0; n < t; ++n) g = numerics::fma(dy.at(lane, row, c, i)[n], xhat.at(lane, row, c, i)[n], g);
          parts.push_back(g);
        }
      gain_gradient[map.at(c, i)] = leave_wafer(parts, 1)[0];
    }
  round_to(type, dx);
  return dx;
}

}  // namespace wafersim::workloads::reference
