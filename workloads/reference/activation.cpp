#include "workloads/reference/activation.h"

#include "sim/numerics/elementary.h"

namespace wafersim::workloads::reference {

namespace numerics = sim::numerics;

namespace {

constexpr float root_half = 0.7071067811865476f;
constexpr float density = 0.3989422804014327f;  // 1 / sqrt(2 pi)

// Half of 1 + erf(x / sqrt(2)).
float normal_distribution(float x) {
  const float e = numerics::erf(numerics::mul(x, root_half));
  return numerics::mul(numerics::add(e, 1.0f), 0.5f);
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

// body(gate values, up values, place of the inner features) for every PE and place.
template <typename Body>
void each_gate(const Layout& layout, const Tiles& x, const Body& body) {
  const int places = x.places() / 2;
  for (int lane = 0; lane < layout.lanes; ++lane)
    for (int row = 0; row < layout.rows; ++row)
      for (int c = 0; c < layout.columns; ++c)
        for (int i = 0; i < places; ++i)
          for (int n = 0; n < x.slots(); ++n) body(lane, row, c, i, n, x.at(lane, row, c, i)[n], x.at(lane, row, c, places + i)[n]);
}

}  // namespace

Tiles gelu_erf(sim::Dtype type, const Tiles& x) {
  return each(type, x, [](float v) { return numerics::mul(v, normal_distribution(v)); });
}

Tiles gelu_erf_gradient(sim::Dtype type, const Tiles& x, const Tiles& dy) {
  return each_pair(type, x, dy, [](float v, float g) {
    const float bell = numerics::exp(numerics::mul(numerics::mul(v, v), -0.5f));
    const float slope = numerics::fma(numerics::mul(bell, density), v, normal_distribution(v));
    return numerics::mul(g, slope);
  });
}

Tiles relu(sim::Dtype type, const Tiles& x) {
  return each(type, x, [](float v) { return numerics::max(v, 0.0f); });
}

Tiles relu_gradient(sim::Dtype type, const Tiles& x, const Tiles& dy) {
  return each_pair(type, x, dy, [](float v, float g) { return v > 0.0f ? g : 0.0f; });
}

Tiles swiglu(const Layout& layout, sim::Dtype type, const Tiles& x) {
  Tiles y(layout, x.places() / 2);
  each_gate(layout, x, [&](int lane, int row, int c, int i, int n, float gate, float up) {
    y.at(lane, row, c, i)[n] = numerics::mul(numerics::mul(gate, sigmoid(gate)), up);
  });
  round_to(type, y);
  return y;
}

Tiles swiglu_gradient(const Layout& layout, sim::Dtype type, const Tiles& x, const Tiles& dy) {
  Tiles dx(layout, x.places());
  const int places = dy.places();
  each_gate(layout, x, [&](int lane, int row, int c, int i, int n, float gate, float up) {
    const float g = dy.at(lane, row, c, i)[n], s = sigmoid(gate), silu = numerics::mul(gate, s);
    const float slope = numerics::fma(silu, numerics::sub(1.0f, s), s);
    dx.at(lane, row, c, i)[n] = numerics::mul(numerics::mul(g, up), slope);
    dx.at(lane, row, c, places + i)[n] = numerics::mul(g, silu);
  });
  round_to(type, dx);
  return dx;
}

}  // namespace wafersim::workloads::reference
