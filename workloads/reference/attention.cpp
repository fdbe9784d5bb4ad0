#include "workloads/reference/attention.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "sim/numerics/elementary.h"
#include "sim/numerics/vector_ops.h"

namespace wafersim::workloads::reference {

namespace numerics = sim::numerics;

float score_scale(int head) { return 1.0f / std::sqrt(static_cast<float>(head)); }

void head_scores(const Layout& layout, const HeadPlace& place, const Operand& x, const Operand& y, int features, int key, int first,
                 float* out) {
  const auto count = static_cast<std::size_t>(layout.tokens_per_pe - first);
  std::vector<float> parts(static_cast<std::size_t>(layout.columns_per_head) * count);
  for (int c = 0; c < layout.columns_per_head; ++c)
    for (int i = 0; i < features; ++i)
      numerics::fma_scalar(&parts[static_cast<std::size_t>(c) * count],
                           x.tiles->at(place.lane, x.row, place.first_column + c, x.first_place + i) + first,
                           y.tiles->at(place.lane, y.row, place.first_column + c, y.first_place + i)[key], count);
  ring_sum(out, parts.data(), layout.columns_per_head, key % layout.columns_per_head, count);
}

namespace {

// One head of one sequence. `l` accumulates in lse, O in out.
class HeadForward {
 public:
  HeadForward(const Layout& layout, sim::Dtype type, const Tiles& qkv, const AttentionForm& form, Attention& result)
      : layout_(layout),
        type_(type),
        qkv_(qkv),
        scale_(score_scale(form.head)),
        causal_(form.causal),
        result_(result),
        maxima_(layout, 1) {}

  void run(const HeadPlace& place) {
    for (int r = 0; r < layout_.rows_per_sequence; ++r) {
      maximum_.assign(static_cast<std::size_t>(layout_.tokens_per_pe), -FLT_MAX);
      for (int step = 0; step < layout_.rows_per_sequence; ++step) visit(place, r, step);
      finish(place, place.first_row + r);
    }
  }

 private:
  int t() const { return layout_.tokens_per_pe; }
  int places() const { return result_.out.places(); }
  // The first query that sees a key.
  int first(int key) const { return causal_ ? key : 0; }
  float* score(int key) { return &scores_[static_cast<std::size_t>(key) * static_cast<std::size_t>(t())]; }

  // The keys and values of row (r - step) mod Rs pass by the queries of row r.
  void visit(const HeadPlace& place, int r, int step) {
    const int row = place.first_row + r;
    const int block = place.first_row + (r - step + layout_.rows_per_sequence) % layout_.rows_per_sequence;
    scores_.resize(static_cast<std::size_t>(t()) * static_cast<std::size_t>(t()));
    for (int key = 0; key < t(); ++key) {
      float* s = score(key) + first(key);
      const auto n = static_cast<std::size_t>(t() - first(key));
      head_scores(layout_, place, {&qkv_, row, 0}, {&qkv_, block, places()}, places(), key, first(key), s);
      numerics::mul_scalar(s, s, scale_, n);
      if (causal_ && step > r) *s = -FLT_MAX;
      if (!causal_ && key >= layout_.true_slots(block - place.first_row)) std::fill_n(s, n, -FLT_MAX);
    }
    raise_maximum(place, row);
    for (int key = 0; key < t(); ++key) add_key(place, row, block, key);
  }

  void raise_maximum(const HeadPlace& place, int row) {
    const auto n = static_cast<std::size_t>(t());
    for (int c = 0; c < layout_.columns_per_head; ++c) {
      float* mx = maxima_.at(place.lane, row, place.first_column + c);
      std::copy_n(maximum_.data(), n, mx);
      for (int key = c; key < t(); key += layout_.columns_per_head)
        numerics::max(mx + first(key), mx + first(key), score(key) + first(key), static_cast<std::size_t>(t() - first(key)));
    }
    all_reduce_max(maxima_, place.lane, row, place.first_column, layout_.columns_per_head, 0);
    const float* raised = maxima_.at(place.lane, row, place.first_column);
    std::vector<float> alpha(n);
    numerics::sub(alpha.data(), maximum_.data(), raised, n);
    numerics::exp(alpha.data(), alpha.data(), n);
    for (int c = place.first_column; c < place.first_column + layout_.columns_per_head; ++c) {
      float* l = result_.lse.at(place.lane, row, c);
      numerics::mul(l, l, alpha.data(), n);
      for (int i = 0; i < places(); ++i) {
        float* o = result_.out.at(place.lane, row, c, i);
        numerics::mul(o, o, alpha.data(), n);
      }
    }
    maximum_.assign(raised, raised + n);
  }

  // P of one key from its owner column, then its value added everywhere.
  void add_key(const HeadPlace& place, int row, int block, int key) {
    const int from = first(key);
    const auto n = static_cast<std::size_t>(t() - from);
    float* p = score(key) + from;
    numerics::sub(p, p, maximum_.data() + from, n);
    numerics::exp(p, p, n);
    float* l = result_.lse.at(place.lane, row, place.first_column + key % layout_.columns_per_head) + from;
    numerics::add(l, l, p, n);
    round_to(type_, p, n);
    for (int c = place.first_column; c < place.first_column + layout_.columns_per_head; ++c)
      for (int i = 0; i < places(); ++i)
        numerics::fma_scalar(result_.out.at(place.lane, row, c, i) + from, p, qkv_.at(place.lane, block, c, 2 * places() + i)[key], n);
  }

  void finish(const HeadPlace& place, int row) {
    const auto n = static_cast<std::size_t>(t());
    all_reduce_sum(result_.lse, place.lane, row, place.first_column, layout_.columns_per_head, 0);
    for (int c = place.first_column; c < place.first_column + layout_.columns_per_head; ++c) {
      float* l = result_.lse.at(place.lane, row, c);
      std::vector<float> inverse(n);
      for (std::size_t k = 0; k < n; ++k) {
        inverse[k] = numerics::recip(l[k]);
        l[k] = numerics::add(maximum_[k], numerics::log(l[k]));
      }
      for (int i = 0; i < places(); ++i) {
        float* o = result_.out.at(place.lane, row, c, i);
        numerics::mul(o, o, inverse.data(), n);
      }
    }
  }

  const Layout& layout_;
  sim::Dtype type_;
  const Tiles& qkv_;
  float scale_;
  bool causal_;
  Attention& result_;
  Tiles maxima_;                // one place
  std::vector<float> maximum_;  // m of the row's queries
  std::vector<float> scores_;   // [key][query], then P
};

}  // namespace

Attention attention(const Layout& layout, sim::Dtype type, const Tiles& qkv, const AttentionForm& form) {
  Attention result{Tiles(layout, qkv.places() / 3), Tiles(layout, 1)};
  HeadForward forward(layout, type, qkv, form, result);
  each_head(layout, [&](const HeadPlace& place) { forward.run(place); });
  round_to(type, result.out);
  return result;
}

}  // namespace wafersim::workloads::reference
