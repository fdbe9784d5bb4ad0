#include "workloads/reference/elementwise.h"

#include "sim/numerics/vector_ops.h"

namespace wafersim::workloads::reference {

namespace numerics = sim::numerics;

namespace {

constexpr float cubic = 0.044715f;
constexpr float slope = 0.7978845608028654f;  // sqrt(2 / pi)
constexpr float three_cubic = 0.134145f;

// tanh(slope (x + cubic x^3))
std::vector<float> inner_tanh(const std::vector<float>& x) {
  const std::size_t n = x.size();
  std::vector<float> u(n);
  std::vector<float> v = x;
  numerics::mul(u.data(), x.data(), x.data(), n);
  numerics::mul(u.data(), u.data(), x.data(), n);
  numerics::fma_scalar(v.data(), u.data(), cubic, n);
  numerics::mul_scalar(v.data(), v.data(), slope, n);
  numerics::tanh(v.data(), v.data(), n);
  return v;
}

}  // namespace

Tiles gelu(sim::Dtype type, const Tiles& x) {
  const std::size_t n = x.values().size();
  const std::vector<float> th = inner_tanh(x.values());
  std::vector<float> half(n);
  numerics::mul_scalar(half.data(), x.values().data(), 0.5f, n);
  Tiles y = x;
  y.values() = half;
  numerics::fma_vector(y.values().data(), half.data(), th.data(), n);
  round_to(type, y);
  return y;
}

Tiles gelu_gradient(sim::Dtype type, const Tiles& x, const Tiles& dy) {
  const std::size_t n = x.values().size();
  const float* in = x.values().data();
  const std::vector<float> th = inner_tanh(x.values());
  std::vector<float> minus_th(n);
  std::vector<float> sech(n, 1.0f);
  numerics::mul_scalar(minus_th.data(), th.data(), -1.0f, n);
  numerics::fma_vector(sech.data(), minus_th.data(), th.data(), n);
  std::vector<float> square(n);
  std::vector<float> w(n, 1.0f);
  numerics::mul(square.data(), in, in, n);
  numerics::fma_scalar(w.data(), square.data(), three_cubic, n);
  numerics::mul_scalar(w.data(), w.data(), slope, n);
  std::vector<float> p(n);
  numerics::mul_scalar(p.data(), in, 0.5f, n);
  numerics::mul(p.data(), p.data(), sech.data(), n);
  numerics::mul(p.data(), p.data(), w.data(), n);
  Tiles dx = x;
  float* derivative = dx.values().data();
  dx.values().assign(n, 0.5f);
  numerics::fma_scalar(derivative, th.data(), 0.5f, n);
  numerics::add(derivative, derivative, p.data(), n);
  numerics::mul(derivative, dy.values().data(), derivative, n);
  round_to(type, dx);
  return dx;
}

Tiles add(sim::Dtype type, const Tiles& a, const Tiles& b) {
  Tiles sum = a;
  numerics::add(sum.values().data(), a.values().data(), b.values().data(), a.values().size());
  round_to(type, sum);
  return sum;
}

}  // namespace wafersim::workloads::reference
