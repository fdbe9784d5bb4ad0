#include "workloads/reference/activation.h"

#include <algorithm>

#include "sim/numerics/elementary.h"
#include "sim/numerics/vector_ops.h"

namespace wafersim::workloads::reference {

namespace numerics = sim::numerics;

namespace {

constexpr float root_half = 0.7071067811865476f;
constexpr float density = 0.3989422804014327f;  // 1 / sqrt(2 pi)

constexpr std::size_t piece = 1024;  // values that stay in the nearest cache from one operation to the next

// body(first, count) for n values piece by piece.
template <typename Body>
void each_piece(std::size_t n, const Body& body) {
  for (std::size_t first = 0; first < n; first += piece) body(first, std::min(piece, n - first));
}

// Half of 1 + erf(x / sqrt(2)).
void normal_distribution(float* out, const float* x, std::size_t n) {
  numerics::mul_scalar(out, x, root_half, n);
  numerics::erf(out, out, n);
  numerics::add_scalar(out, out, 1.0f, n);
  numerics::mul_scalar(out, out, 0.5f, n);
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
  std::vector<float> distribution(piece);
  each_piece(x.values().size(), [&](std::size_t first, std::size_t n) {
    float* out = &y.values()[first];
    normal_distribution(distribution.data(), out, n);
    numerics::mul(out, out, distribution.data(), n);
  });
  round_to(type, y);
  return y;
}

Tiles gelu_erf_gradient(sim::Dtype type, const Tiles& x, const Tiles& dy) {
  Tiles dx = x;
  std::vector<float> slope(piece), bell(piece);
  each_piece(x.values().size(), [&](std::size_t first, std::size_t n) {
    float* out = &dx.values()[first];
    normal_distribution(slope.data(), out, n);
    numerics::mul(bell.data(), out, out, n);
    numerics::mul_scalar(bell.data(), bell.data(), -0.5f, n);
    numerics::exp(bell.data(), bell.data(), n);
    numerics::mul_scalar(bell.data(), bell.data(), density, n);
    numerics::fma_vector(slope.data(), bell.data(), out, n);
    numerics::mul(out, &dy.values()[first], slope.data(), n);
  });
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
