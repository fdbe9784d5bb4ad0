#include "workloads/reference/attention.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "sim/numerics/elementary.h"
#include "sim/numerics/vector_ops.h"

namespace wafersim::workloads::reference {

namespace numerics = sim::numerics;

float score_scale(int head) { return 1.0f / std::sqrt(static_cast<float>(head)); }

void head_scores(const Layout& layout, const HeadArray& x, int x_row, const HeadArray& y, int y_row, int key, int first, float* out) {
  const auto columns = static_cast<std::size_t>(layout.columns_per_head);
  for (int n = first; n < layout.tokens_per_pe; ++n, out += x.heads())
    numerics::ring_dot(out, x.at(x_row, n), y.at(y_row, key), x.heads(), columns, x.features() / columns,
                       (static_cast<std::size_t>(key) + 1) % columns, x.heads());
}

namespace {

// A range of heads, row after row. A vector of a row is [query][head].
class Forward {
 public:
  Forward(const Layout& layout, const HeadRange& range, sim::Dtype type, const Tiles& qkv, const AttentionForm& form)
      : layout_(layout),
        type_(type),
        places_(qkv.places() / 3),
        columns_(static_cast<std::size_t>(layout.columns_per_head)),
        q_(layout, range, layout.columns_per_head, places_, qkv, 0),
        k_(layout, range, layout.columns_per_head, places_, qkv, places_),
        v_(layout, range, layout.columns_per_head, places_, qkv, 2 * places_),
        out_(layout, range, layout.columns_per_head, places_),
        lse_(layout, range, 1, 1),
        scale_(score_scale(form.head)),
        causal_(form.causal),
        maximum_(row()),
        raised_(row()),
        mine_(row()),
        alpha_(row()),
        sums_(columns_ * row()),
        scores_(static_cast<std::size_t>(t()) * row()) {}

  void run(Attention& result) {
    for (int r = 0; r < layout_.rows_per_sequence; ++r) {
      std::fill(maximum_.begin(), maximum_.end(), -FLT_MAX);
      std::fill(sums_.begin(), sums_.end(), 0.0f);
      for (int step = 0; step < layout_.rows_per_sequence; ++step) visit(r, step);
      finish(r);
    }
    out_.store(result.out, 0);
    for (int c = 0; c < layout_.columns_per_head; ++c) lse_.store(result.lse, 0, c);
  }

 private:
  int t() const { return layout_.tokens_per_pe; }
  std::size_t heads() const { return q_.heads(); }
  std::size_t row() const { return static_cast<std::size_t>(t()) * heads(); }
  // The first query that sees a key, and the values of a row from it on.
  int first(int key) const { return causal_ ? key : 0; }
  std::size_t from(int key) const { return static_cast<std::size_t>(first(key)) * heads(); }
  float* sum(int key) { return &sums_[static_cast<std::size_t>(key) % columns_ * row()]; }  // of the key's owner column
  float* score(int key) { return &scores_[static_cast<std::size_t>(key) * row()]; }

  // The keys and values of row (r - step) mod Rs pass by the queries of row r.
  void visit(int r, int step) {
    const int block = (r - step + layout_.rows_per_sequence) % layout_.rows_per_sequence;
    for (int key = 0; key < t(); ++key) head_scores(layout_, q_, r, k_, block, key, first(key), score(key) + from(key));
    numerics::mul_scalar(scores_.data(), scores_.data(), scale_, scores_.size());
    for (int key = 0; key < t(); ++key) {
      if (causal_ && step > r) std::fill_n(score(key) + from(key), heads(), -FLT_MAX);
      if (!causal_ && key >= layout_.true_slots(block)) std::fill_n(score(key), row(), -FLT_MAX);
    }
    raise_maximum(r);
    for (int key = 0; key < t(); ++key) numerics::sub(score(key), score(key), maximum_.data(), row());
    numerics::exp(scores_.data(), scores_.data(), scores_.size());
    for (int key = 0; key < t(); ++key)
      numerics::add(sum(key) + from(key), sum(key) + from(key), score(key) + from(key), row() - from(key));
    round_to(type_, scores_.data(), scores_.size());
    for (int key = 0; key < t(); ++key)
      for (int query = first(key); query < t(); ++query)
        numerics::fma_rows(out_.at(r, query), v_.at(block, key), score(key) + static_cast<std::size_t>(query) * heads(), heads(),
                           out_.features(), heads());
  }

  void raise_maximum(int r) {
    for (int c = 0; c < layout_.columns_per_head; ++c) {
      mine_ = maximum_;
      for (int key = c; key < t(); key += layout_.columns_per_head)
        numerics::max(&mine_[from(key)], &mine_[from(key)], score(key) + from(key), row() - from(key));
      if (c == 0) {
        raised_ = mine_;
      } else {
        numerics::max(raised_.data(), mine_.data(), raised_.data(), row());
      }
      if (c > t()) break;  // the columns that follow have no key: they change nothing any more
    }
    numerics::sub(alpha_.data(), maximum_.data(), raised_.data(), row());
    numerics::exp(alpha_.data(), alpha_.data(), row());
    numerics::mul_rows(sums_.data(), alpha_.data(), row(), columns_, row());
    for (int n = 0; n < t(); ++n)
      numerics::mul_rows(out_.at(r, n), &alpha_[static_cast<std::size_t>(n) * heads()], heads(), out_.features(), heads());
    maximum_ = raised_;
  }

  void finish(int r) {
    float* sum = sums_.data();
    for (std::size_t c = 1; c < columns_; ++c) numerics::add(sum, &sums_[c * row()], sum, row());
    std::vector<float> inverse(row());
    for (std::size_t k = 0; k < row(); ++k) {
      inverse[k] = numerics::recip(sum[k]);
      lse_.at(r)[k] = numerics::add(maximum_[k], numerics::log(sum[k]));
    }
    for (int n = 0; n < t(); ++n)
      numerics::mul_rows(out_.at(r, n), &inverse[static_cast<std::size_t>(n) * heads()], heads(), out_.features(), heads());
  }

  const Layout& layout_;
  sim::Dtype type_;
  int places_;
  std::size_t columns_;  // of a head
  HeadArray q_, k_, v_, out_, lse_;
  float scale_;
  bool causal_;
  std::vector<float> maximum_;  // m
  std::vector<float> raised_;   // M
  std::vector<float> mine_;     // mx of a column
  std::vector<float> alpha_;
  std::vector<float> sums_;    // l of each column
  std::vector<float> scores_;  // of each key, then P
};

}  // namespace

Attention attention(const Layout& layout, sim::Dtype type, const Tiles& qkv, const AttentionForm& form) {
  Attention result{Tiles(layout, qkv.places() / 3), Tiles(layout, 1)};
  for (const HeadRange& range : head_ranges(layout)) Forward(layout, range, type, qkv, form).run(result);
  round_to(type, result.out);
  return result;
}

}  // namespace wafersim::workloads::reference
