#include <algorithm>
#include <cfloat>

#include "sim/numerics/elementary.h"
#include "sim/numerics/vector_ops.h"
#include "workloads/reference/attention.h"

namespace wafersim::workloads::reference {

namespace numerics = sim::numerics;

namespace {

// A range of heads, step after step: dQ, dK and dV accumulate in fp32. A vector of a row is [query][head].
class Backward {
 public:
  Backward(const Layout& layout, const HeadRange& range, sim::Dtype type, const Tiles& qkv, const Tiles& out, const Tiles& lse,
           const Tiles& dout, const AttentionForm& form)
      : layout_(layout),
        range_(range),
        type_(type),
        places_(dout.places()),
        q_(part(qkv, 0)),
        k_(part(qkv, places_)),
        v_(part(qkv, 2 * places_)),
        dout_(part(dout, 0)),
        dq_(layout, range, layout.columns_per_head, places_),
        dk_(dq_),
        dv_(dq_),
        lse_(layout, range, 1, 1, lse, 0),
        d_(layout, range, 1, 1),
        scale_(score_scale(form.head)),
        causal_(form.causal),
        p_(static_cast<std::size_t>(t()) * static_cast<std::size_t>(t()) * heads()),
        ds_(p_.size()) {
    const HeadArray o = part(out, 0);
    const auto columns = static_cast<std::size_t>(layout.columns_per_head);
    for (int r = 0; r < layout.rows_per_sequence; ++r)
      for (int n = 0; n < t(); ++n)
        numerics::ring_dot(d_.at(r, n), dout_.at(r, n), o.at(r, n), heads(), columns, o.features() / columns, 0, heads());
  }

  void run(Tiles& dqkv) {
    for (int step = 0; step < layout_.rows_per_sequence; ++step)
      for (int r = 0; r < layout_.rows_per_sequence; ++r) visit(r, step);
    dq_.store(dqkv, 0);
    dk_.store(dqkv, places_);
    dv_.store(dqkv, 2 * places_);
  }

 private:
  HeadArray part(const Tiles& tiles, int first_place) const {
    return HeadArray(layout_, range_, layout_.columns_per_head, places_, tiles, first_place);
  }
  int t() const { return layout_.tokens_per_pe; }
  std::size_t heads() const { return q_.heads(); }

  int first(int key) const { return causal_ ? key : 0; }  // query that sees a key
  std::size_t at(int key, int query) const {
    return (static_cast<std::size_t>(key) * static_cast<std::size_t>(t()) + static_cast<std::size_t>(query)) * heads();
  }

  // The queries of row (r - step) mod Rs pass by the keys of row r.
  void visit(int r, int step) {
    const int block = (r - step + layout_.rows_per_sequence) % layout_.rows_per_sequence;
    const std::size_t n = p_.size(), row = static_cast<std::size_t>(t()) * heads();
    float *p = p_.data(), *ds = ds_.data();
    for (int key = 0; key < t(); ++key) {
      head_scores(layout_, q_, block, k_, r, key, first(key), p + at(key, first(key)));
      head_scores(layout_, dout_, block, v_, r, key, first(key), ds + at(key, first(key)));
    }
    numerics::mul_scalar(p, p, scale_, n);
    for (int key = 0; key < t(); ++key) {
      if (causal_ && step >= 1 && step <= r) std::fill_n(p + at(key, key), heads(), -FLT_MAX);
      if (!causal_ && key >= layout_.true_slots(r)) std::fill_n(p + at(key, 0), row, -FLT_MAX);
      numerics::sub(p + at(key, 0), p + at(key, 0), lse_.at(block), row);
      numerics::sub(ds + at(key, 0), ds + at(key, 0), d_.at(block), row);
    }
    numerics::exp(p, p, n);
    numerics::mul(ds, p, ds, n);
    numerics::mul_scalar(ds, ds, scale_, n);
    round_to(type_, p, n);
    round_to(type_, ds, n);
    for (int key = 0; key < t(); ++key)
      for (int query = first(key); query < t(); ++query) {
        numerics::fma_rows(dv_.at(r, key), dout_.at(block, query), p + at(key, query), heads(), dv_.features(), heads());
        numerics::fma_rows(dk_.at(r, key), q_.at(block, query), ds + at(key, query), heads(), dk_.features(), heads());
        numerics::fma_rows(dq_.at(block, query), k_.at(r, key), ds + at(key, query), heads(), dq_.features(), heads());
      }
  }

  const Layout& layout_;
  HeadRange range_;
  sim::Dtype type_;
  int places_;
  HeadArray q_, k_, v_, dout_, dq_, dk_, dv_;
  HeadArray lse_, d_;
  float scale_;
  bool causal_;
  std::vector<float> p_;   // P of a row's keys, [key][query][head]; a key's queries before the first hold nothing of use
  std::vector<float> ds_;  // dP, then dS
};

}  // namespace

Tiles attention_gradient(const Layout& layout, sim::Dtype type, const Tiles& qkv, const Tiles& out, const Tiles& lse, const Tiles& dout,
                         const AttentionForm& form) {
  Tiles dqkv(layout, qkv.places());
  for (const HeadRange& range : head_ranges(layout)) Backward(layout, range, type, qkv, out, lse, dout, form).run(dqkv);
  round_to(type, dqkv);
  return dqkv;
}

}  // namespace wafersim::workloads::reference
