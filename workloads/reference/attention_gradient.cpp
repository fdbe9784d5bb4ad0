#include <cfloat>

#include "sim/numerics/elementary.h"
#include "sim/numerics/vector_ops.h"
#include "workloads/reference/attention.h"

namespace wafersim::workloads::reference {

namespace numerics = sim::numerics;

namespace {

// One head of one sequence: dQ, dK and dV accumulate in fp32 in the places of q, k and v.
class HeadBackward {
 public:
  HeadBackward(const Layout& layout, sim::Dtype type, const Tiles& qkv, const Tiles& lse, const Tiles& dout, const Tiles& d,
               const AttentionForm& form, Tiles& dqkv)
      : layout_(layout),
        type_(type),
        qkv_(qkv),
        lse_(lse),
        dout_(dout),
        d_(d),
        scale_(score_scale(form.head)),
        causal_(form.causal),
        dqkv_(dqkv) {}

  void run(const HeadPlace& place) {
    for (int step = 0; step < layout_.rows_per_sequence; ++step)
      for (int r = 0; r < layout_.rows_per_sequence; ++r) visit(place, r, step);
  }

 private:
  int places() const { return dout_.places(); }

  // The queries of row (r - step) mod Rs pass by the keys of row r.
  void visit(const HeadPlace& place, int r, int step) {
    const int row = place.first_row + r;
    const int block = place.first_row + (r - step + layout_.rows_per_sequence) % layout_.rows_per_sequence;
    const int t = layout_.tokens_per_pe;
    for (int key = 0; key < t; ++key) {
      const int first = causal_ ? key : 0;  // query that sees the key
      const auto n = static_cast<std::size_t>(t - first);
      std::vector<float> p(n);
      std::vector<float> ds(n);
      head_scores(layout_, place, {&qkv_, block, 0}, {&qkv_, row, places()}, places(), key, first, p.data());
      head_scores(layout_, place, {&dout_, block, 0}, {&qkv_, row, 2 * places()}, places(), key, first, ds.data());
      numerics::mul_scalar(p.data(), p.data(), scale_, n);
      if (causal_ && step >= 1 && step <= r) p[0] = -FLT_MAX;
      if (!causal_ && key >= layout_.true_slots(r)) p.assign(n, -FLT_MAX);
      numerics::sub(p.data(), p.data(), lse_.at(place.lane, block, place.first_column) + first, n);
      numerics::exp(p.data(), p.data(), n);
      numerics::sub(ds.data(), ds.data(), d_.at(place.lane, block, place.first_column) + first, n);
      numerics::mul(ds.data(), p.data(), ds.data(), n);
      numerics::mul_scalar(ds.data(), ds.data(), scale_, n);
      round_to(type_, p.data(), n);
      round_to(type_, ds.data(), n);
      for (int c = place.first_column; c < place.first_column + layout_.columns_per_head; ++c)
        for (int i = 0; i < places(); ++i) accumulate(place.lane, c, i, row, block, key, first, p, ds);
    }
  }

  void accumulate(int lane, int c, int i, int row, int block, int key, int first, const std::vector<float>& p,
                  const std::vector<float>& ds) {
    const float* query = qkv_.at(lane, block, c, i) + first;
    const float* dout = dout_.at(lane, block, c, i) + first;
    float& dk = dqkv_.at(lane, row, c, places() + i)[key];
    float& dv = dqkv_.at(lane, row, c, 2 * places() + i)[key];
    for (std::size_t n = 0; n < p.size(); ++n) {
      dv = numerics::fma(dout[n], p[n], dv);
      dk = numerics::fma(query[n], ds[n], dk);
    }
    numerics::fma_scalar(dqkv_.at(lane, block, c, i) + first, ds.data(), qkv_.at(lane, row, c, places() + i)[key], p.size());
  }

  const Layout& layout_;
  sim::Dtype type_;
  const Tiles& qkv_;
  const Tiles& lse_;
  const Tiles& dout_;
  const Tiles& d_;
  float scale_;
  bool causal_;
  Tiles& dqkv_;
};

}  // namespace

Tiles attention_gradient(const Layout& layout, sim::Dtype type, const Tiles& qkv, const Tiles& out, const Tiles& lse, const Tiles& dout,
                         const AttentionForm& form) {
  Tiles d(layout, 1);  // of each query: sum over the head of dO * O
  Tiles dqkv(layout, qkv.places());
  HeadBackward backward(layout, type, qkv, lse, dout, d, form, dqkv);
  each_head(layout, [&](const HeadPlace& place) {
    for (int row = place.first_row; row < place.first_row + layout.rows_per_sequence; ++row) {
      for (int c = place.first_column; c < place.first_column + layout.columns_per_head; ++c)
        for (int i = 0; i < out.places(); ++i)
          numerics::fma_vector(d.at(place.lane, row, c), dout.at(place.lane, row, c, i), out.at(place.lane, row, c, i),
                               static_cast<std::size_t>(out.slots()));
      all_reduce_sum(d, place.lane, row, place.first_column, layout.columns_per_head, 0);
    }
    backward.run(place);
  });
  round_to(type, dqkv);
  return dqkv;
}

}  // namespace wafersim::workloads::reference
