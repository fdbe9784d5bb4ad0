#pragma once
// Attention over striped sequences, causal or of all tokens to all, forward and backward (workloads/NUMERICS.md 4, 12, 24). Queries, keys
// and values lie side by side in a tile: places 0..h-1, h..2h-1, 2h..3h-1; a head takes columns_per_head columns. Rows outside any sequence
// hold +0.

#include "workloads/reference/head_array.h"
#include "workloads/reference/tiles.h"

namespace wafersim::workloads::reference {

struct Attention {
  Tiles out;
  Tiles lse;  // one place, fp32: log of the sum of exp(score) of each query
};

struct AttentionForm {
  int head = 0;  // true features of a head; the scores' scale is 1 / sqrt(head)
  bool causal = true;
};
Attention attention(const Layout& layout, sim::Dtype type, const Tiles& qkv, const AttentionForm& form);

// Gradient of qkv from that of out.
Tiles attention_gradient(const Layout& layout, sim::Dtype type, const Tiles& qkv, const Tiles& out, const Tiles& lse, const Tiles& dout,
                         const AttentionForm& form);

float score_scale(int head);

// out [n - first][head] = sum over a head's features of x[n] * y[key] for the tokens n = first..slots-1: chains over the local features of
// each column, then the ring sum with owner key mod columns_per_head.
void head_scores(const Layout& layout, const HeadArray& x, int x_row, const HeadArray& y, int y_row, int key, int first, float* out);

}  // namespace wafersim::workloads::reference
