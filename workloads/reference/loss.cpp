#include "workloads/reference/loss.h"

#include <algorithm>
#include <cfloat>

#include "sim/numerics/elementary.h"
#include "sim/numerics/vector_ops.h"
#include "workloads/reference/elementwise.h"

namespace wafersim::workloads::reference {

namespace numerics = sim::numerics;

namespace {

constexpr std::uint32_t no_target = 0xffffffffu;

int chunks(const Layout& layout, const LossSetting& setting) {
  return ceil_divide(setting.vocabulary, layout.columns * setting.outputs_per_pe);
}

FeatureMap chunk_map(const Layout& layout, const LossSetting& setting, int chunk) {
  return chunk_features(setting.vocabulary, chunk * layout.columns * setting.outputs_per_pe, layout.columns, setting.outputs_per_pe);
}

Tiles logits(const Layout& layout, const Tiles& x, const FeatureMap& map, const FeatureMap& chunk, const Weights& weights,
             const Bias& bias) {
  Tiles lg = contract(layout, x, chunk.per_column, place_weights(weights, map, chunk));
  add_bias(chunk, layout, bias, lg);
  return lg;
}

// Target of each token of a tile, no_target in padded slots.
std::vector<std::uint32_t> token_targets(const Layout& layout, const LossSetting& setting) {
  std::vector<std::uint32_t> out;
  for (int lane = 0; lane < layout.lanes; ++lane)
    for (int row = 0; row < computed_rows(layout); ++row)
      for (int slot = 0; slot < layout.tokens_per_pe; ++slot) {
        const Layout::Token token = layout.token(lane, row, slot);
        const int index = token.sample * layout.sequence + token.position;
        out.push_back(token.sample < 0 ? no_target : (*setting.targets)[static_cast<std::size_t>(index)]);
      }
  return out;
}

// Running maximum, sum of exponentials and the target's logit of every token, per column.
struct State {
  explicit State(const Layout& layout) : maximum(layout, 1), sum(layout, 1), selected(layout, 1) {
    maximum.values().assign(maximum.values().size(), -FLT_MAX);
  }
  Tiles maximum;
  Tiles sum;
  Tiles selected;
};

void take_chunk(const Tiles& lg, const FeatureMap& chunk, int column, const std::vector<std::uint32_t>& targets, State& state) {
  const std::size_t t = lg.tokens();
  float* maximum = state.maximum.feature(column);
  float* sum = state.sum.feature(column);
  float* selected = state.selected.feature(column);
  std::vector<float> raised(maximum, maximum + t);
  std::vector<float> term(t);
  for (int i = 0; i < chunk.valid(column); ++i) numerics::max(raised.data(), raised.data(), lg.feature(column, i), t);
  numerics::sub(term.data(), maximum, raised.data(), t);
  numerics::exp(term.data(), term.data(), t);
  numerics::mul(sum, sum, term.data(), t);
  for (std::size_t n = 0; n < t; ++n) maximum[n] = raised[n];
  for (int i = 0; i < chunk.valid(column); ++i) {
    const float* logit = lg.feature(column, i);
    const auto vocabulary_entry = static_cast<std::uint32_t>(chunk.at(column, i));
    numerics::sub(term.data(), logit, maximum, t);
    numerics::exp(term.data(), term.data(), t);
    numerics::add(sum, sum, term.data(), t);
    for (std::size_t n = 0; n < t; ++n)
      if (targets[n] == vocabulary_entry) selected[n] = logit[n];
  }
}

// lse of every token into every column; returns the negative log likelihoods of each PE's slots added up, [lane][computed row].
std::vector<float> finish(const Layout& layout, const std::vector<std::uint32_t>& targets, State& state, Tiles& lse) {
  const std::size_t t = lse.tokens();
  Tiles rescale = state.maximum;
  all_reduce_max(state.maximum, 0, layout.columns, 0);
  const float* maximum = state.maximum.feature(0);
  for (int c = 0; c < layout.columns; ++c) {
    float* own = rescale.feature(c);
    numerics::sub(own, own, maximum, t);
    numerics::exp(own, own, t);
    numerics::mul(state.sum.feature(c), state.sum.feature(c), own, t);
  }
  all_reduce_sum(state.sum, 0, layout.columns, 0);
  all_reduce_sum(state.selected, 0, layout.columns, 0);
  std::vector<float> words(t / static_cast<std::size_t>(lse.slots()));
  for (std::size_t n = 0; n < t; ++n) {
    const float value = numerics::add(maximum[n], numerics::log(state.sum.feature(0)[n]));
    for (int c = 0; c < layout.columns; ++c) lse.feature(c)[n] = value;
    float& word = words[n / static_cast<std::size_t>(lse.slots())];
    word = numerics::add(word, targets[n] == no_target ? 0.0f : numerics::sub(value, state.selected.feature(0)[n]));
  }
  return words;
}

// dl of a chunk from its logits, not rounded.
void logit_gradient(const Layout& layout, const FeatureMap& chunk, const std::vector<std::uint32_t>& targets, const Tiles& lse,
                    float scale_word, Tiles& dl) {
  const std::size_t t = dl.tokens();
  std::vector<float> scale(t);
  for (std::size_t n = 0; n < t; ++n) scale[n] = targets[n] == no_target ? 0.0f : scale_word;
  for (int c = 0; c < layout.columns; ++c)
    for (int i = 0; i < chunk.per_column; ++i) {
      float* p = dl.feature(c, i);
      if (chunk.at(c, i) < 0) {
        std::fill_n(p, t, 0.0f);
        continue;
      }
      const auto vocabulary_entry = static_cast<std::uint32_t>(chunk.at(c, i));
      numerics::sub(p, p, lse.feature(c), t);
      numerics::exp(p, p, t);
      for (std::size_t n = 0; n < t; ++n)
        if (targets[n] == vocabulary_entry) p[n] = numerics::sub(p[n], 1.0f);
      numerics::mul(p, p, scale.data(), t);
    }
}

}  // namespace

Loss loss(const Layout& layout, const LossSetting& setting, const Tiles& x, const FeatureMap& map, const Weights& weights,
          const Bias& bias) {
  State state(layout);
  const std::vector<std::uint32_t> targets = token_targets(layout, setting);
  for (int k = 0; k < chunks(layout, setting); ++k) {
    const FeatureMap chunk = chunk_map(layout, setting, k);
    const Tiles lg = logits(layout, x, map, chunk, weights, bias);
    for (int c = 0; c < layout.columns; ++c) take_chunk(lg, chunk, c, targets, state);
  }
  Loss out{Tiles(layout, 1), 0.0f};
  out.sum = leave_wafer(layout, finish(layout, targets, state, out.lse));
  return out;
}

Tiles loss_gradient(const Layout& layout, sim::Dtype type, const LossSetting& setting, const Tiles& x, const Tiles& lse,
                    const FeatureMap& map, const Weights& weights, const Bias& bias, float scale_word, const StoreLoss& store) {
  const std::vector<std::uint32_t> targets = token_targets(layout, setting);
  Tiles dx;
  for (int k = 0; k < chunks(layout, setting); ++k) {
    const FeatureMap chunk = chunk_map(layout, setting, k);
    Tiles dl = logits(layout, x, map, chunk, weights, bias);
    logit_gradient(layout, chunk, targets, lse, scale_word, dl);
    round_to(type, dl);
    const Tiles part = contract(layout, dl, map.per_column, place_weights_transposed(weights, map, chunk));
    dx = k == 0 ? part : add(sim::Dtype::f32, part, dx);
    matrix_gradient(layout, x, map, dl, chunk, store.matrix);
    if (store.bias) bias_gradient(layout, dl, chunk, store.bias);
  }
  round_to(type, dx);
  return dx;
}

}  // namespace wafersim::workloads::reference
