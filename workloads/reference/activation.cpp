#include "workloads/reference/activation.h"

#include "sim/numerics/elementary.h"
#include "sim/numerics/vector_ops.h"

namespace wafersim::workloads::reference {

namespace numerics = sim::numerics;

namespace {

constexpr float root_half = 0.7071067811865476f;
constexpr float density = 0.3989422804014327f;  // 1 / sqrt(2 pi)

// Half of 1 + erf(x / sqrt(2)).
std::vector<float> normal_distribution(const std::vector<float>& x) {
  const std::size_t n = x.size();
  std::vector<float> e(n);
  numerics::mul_scalar(e.data(), x.data(), root_half, n);
  numerics::erf(e.data(), e.data(), n);
  numerics::add_scalar(e.data(), e.data(), 1.0f, n);
  numerics::mul_scalar(e.data(), e.data(), 0.5f, n);
  return e;
}

float sigmoid(float x) { return numerics::recip(numerics::add(numerics::exp(-x), 1.0f)); }

template <typename F>
Tiles each(sim::Dtype type, const Tiles& x, const F& f) {
  Tiles y = x;
  for (float& value : y.values()) value = f(value);
  round_to(type, y);
  return y;
}

template <typename F>
Tiles each_pair(sim::Dtype type, const Tiles& x, const Tiles& dy, const F& f) {
  Tiles dx = x;
  for (std::size_t k = 0; k < dx.values().size(); ++k) dx.values()[k] = f(x.values()[k], dy.values()[k]);
  round_to(type, dx);
  return dx;
}

// body(gate, up, column, place of the inner features, token) for every column, place and token.
template <typename Body>
void each_gate(const Layout& layout, const Tiles& x, const Body& body) {
  const int places = x.places() / 2;
  for (int c = 0; c < layout.columns; ++c)
    for (int i = 0; i < places; ++i)
      for (std::size_t n = 0; n < x.tokens(); ++n) body(x.feature(c, i)[n], x.feature(c, places + i)[n], c, i, n);
}

}  // namespace

Tiles gelu_erf(sim::Dtype type, const Tiles& x) {
  Tiles y = x;
  const std::vector<float> distribution = normal_distribution(x.values());
  numerics::mul(y.values().data(), x.values().data(), distribution.data(), distribution.size());
  round_to(type, y);
  return y;
}

Tiles gelu_erf_gradient(sim::Dtype type, const Tiles& x, const Tiles& dy) {
  const std::size_t n = x.values().size();
  const float* in = x.values().data();
  std::vector<float> slope = normal_distribution(x.values());
  Tiles dx = x;
  float* bell = dx.values().data();
  numerics::mul(bell, in, in, n);
  numerics::mul_scalar(bell, bell, -0.5f, n);
  numerics::exp(bell, bell, n);
  numerics::mul_scalar(bell, bell, density, n);
  numerics::fma_vector(slope.data(), bell, in, n);
  numerics::mul(bell, dy.values().data(), slope.data(), n);
  round_to(type, dx);
  return dx;
}

Tiles relu(sim::Dtype type, const Tiles& x) {
  return each(type, x, [](float v) { return numerics::max(v, 0.0f); });
}

Tiles relu_gradient(sim::Dtype type, const Tiles& x, const Tiles& dy) {
  return each_pair(type, x, dy, [](float v, float g) { return v > 0.0f ? g : 0.0f; });
}

Tiles swiglu(const Layout& layout, sim::Dtype type, const Tiles& x) {
  Tiles y(layout, x.places() / 2);
  each_gate(layout, x, [&](float gate, float up, int c, int i, std::size_t n) {
    y.feature(c, i)[n] = numerics::mul(numerics::mul(gate, sigmoid(gate)), up);
  });
  round_to(type, y);
  return y;
}

Tiles swiglu_gradient(const Layout& layout, sim::Dtype type, const Tiles& x, const Tiles& dy) {
  Tiles dx(layout, x.places());
  const int places = dy.places();
  each_gate(layout, x, [&](float gate, float up, int c, int i, std::size_t n) {
    const float g = dy.feature(c, i)[n], s = sigmoid(gate), silu = numerics::mul(gate, s);
    const float slope = numerics::fma(silu, numerics::sub(1.0f, s), s);
    dx.feature(c, i)[n] = numerics::mul(numerics::mul(g, up), slope);
    dx.feature(c, places + i)[n] = numerics::mul(g, silu);
  });
  round_to(type, dx);
  return dx;
}

}  // namespace wafersim::workloads::reference
