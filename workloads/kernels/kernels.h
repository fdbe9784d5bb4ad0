#pragma once
// The programs of the ops of a training step, each in a file of its own. Arithmetic and orders: workloads/NUMERICS.md. Layout: design,
// section 6. Each emit_ function writes one kernel and returns its task id; the argument names are what lowering must give. `work` is an
// area at a multiple of 8 of as many bytes as the kernel's _work_bytes function says.

#include <cstdint>

#include "workloads/kernels/kernel_builder.h"

namespace wafersim::workloads {

// Registers of a linear layer's inner part: tile x of `inputs` rows, accumulators `partial`, fp32 results `sums` of `outputs` rows.
struct LinearRegisters {
  int x, inputs, partial, sums, outputs;
};
// Row sums of x times the column's weight stream into each owner's `sums`. Needs ring_words(lane).
void linear_sums(KernelBuilder& k, const LinearRegisters& r);

// x, inputs, partial, sums, outputs, y, biases (0 or outputs), feed (words to relay): y = rounded sums (+ bias). y and sums may begin at
// the same place: rows of y are half as long and are written in ascending order behind what is read.
int emit_linear(KernelBuilder& k);
// held, held_rows, sent, sent_rows (of x and dy), received, sums, and for the rows of dy, whichever it is, held_bias (0 or held_rows) or
// sent_bias (0 or 1): gradients of a linear layer's matrix and bias leave the wafer.
int emit_weight_gradient(KernelBuilder& k);
// x, y, mean, rstd, total, work, features (rows of the tile)
int emit_layer_norm(KernelBuilder& k, int width, float epsilon);
// x, mean, rstd, dy, dx, products (fp32 tile), totals (two vectors), normal, work, sums, features
int emit_layer_norm_gradient(KernelBuilder& k, int width);
// x, y, rstd, total, work (vectors), features
int emit_rms_norm(KernelBuilder& k, int width, float epsilon);
// x, rstd, dy, dx, products (fp32 tile), total, normal (vectors), sums (a value a feature), features
int emit_rms_norm_gradient(KernelBuilder& k, int width);
// x, y, work, features
int emit_gelu(KernelBuilder& k);
std::int64_t gelu_work_bytes(const KernelBuilder& k);
// x, dy, dx, work, features
int emit_gelu_gradient(KernelBuilder& k);
std::int64_t gelu_gradient_work_bytes(const KernelBuilder& k);
// x, y, work, features (rows of y)
int emit_gelu_erf(KernelBuilder& k);
std::int64_t gelu_erf_work_bytes(const KernelBuilder& k);
int emit_swiglu(KernelBuilder& k);
std::int64_t swiglu_work_bytes(const KernelBuilder& k);
// x, y, features
int emit_relu(KernelBuilder& k);
// x, dy, dx, work, features (rows of dy)
int emit_gelu_erf_gradient(KernelBuilder& k);
std::int64_t gelu_erf_gradient_work_bytes(const KernelBuilder& k);
int emit_swiglu_gradient(KernelBuilder& k);
std::int64_t swiglu_gradient_work_bytes(const KernelBuilder& k);
int emit_relu_gradient(KernelBuilder& k);
std::int64_t relu_gradient_work_bytes(const KernelBuilder& k);
// Addresses: fp32 values of the first token's position of each slot, of the PE's row in its sequence, and of each pair's frequency.
struct RotaryTables {
  int slot_positions, row_position, frequencies;
};
// qkv, y (may be qkv), back (1: turns back), work; head_rows: places of a head's features in a column's tile.
int emit_rotary(KernelBuilder& k, int head_rows, const RotaryTables& tables);
std::int64_t rotary_work_bytes(const KernelBuilder& k);
struct KeyShape {
  int group;       // query heads that share keys
  int head_rows;   // places of a head's features in a column's tile
  int slice_rows;  // of a slice of keys (KeySlices)
};
// x (grouped qkv), y (qkv), work
int emit_share_keys(KernelBuilder& k, const KeyShape& shape);
// dy (of qkv), dx (of grouped qkv), work
int emit_share_keys_gradient(KernelBuilder& k, const KeyShape& shape);
std::int64_t share_keys_work_bytes(const KernelBuilder& k, const KeyShape& shape);
// a, b, y, features: residual and gradient sum
int emit_add(KernelBuilder& k);
// x, further (a tile; only where row_kinds > 1), features: a token's embedding is the sum of that many rows
int emit_embedding(KernelBuilder& k, int row_kinds);
// dx, features
int emit_embedding_gradient(KernelBuilder& k);
struct AttentionShape {
  int features;  // true ones of a head
  int rows;      // places of a head's features in a column's tile
  bool causal;   // else every token sees all of its sequence
};
// qkv, o, lse, work
int emit_attention(KernelBuilder& k, const AttentionShape& shape);
std::int64_t attention_work_bytes(const KernelBuilder& k, const AttentionShape& shape);
// qkv, o, lse, do, dqkv (of `result` bytes while the kernel runs; may lie over o and do), work
int emit_attention_gradient(KernelBuilder& k, const AttentionShape& shape);
struct AttentionGradientBytes {
  std::int64_t work, result;
};
AttentionGradientBytes attention_gradient_bytes(const KernelBuilder& k, const AttentionShape& shape);
// x, lse, targets, work, features, feed: the loss leaves the wafer. `outputs` true outputs in chunks of columns * chunk_outputs,
// a chunk's biases behind its weights.
int emit_loss(KernelBuilder& k, int outputs, int chunk_outputs, bool bias);
// x, lse, targets, dy (tile of chunk_outputs rows), work, features, first (of the chunk), last (1 in the last chunk), feed
int emit_logit_gradient(KernelBuilder& k, int chunk_outputs, bool bias);
std::int64_t loss_work_bytes(const KernelBuilder& k, int chunk_outputs);
// y, dx, features: fp32 tile y += dx; and its rounding into the tile y of the run's type (x, y, features).
int emit_accumulate(KernelBuilder& k);
int emit_round(KernelBuilder& k);

// Sends a control wavelet that sets the switches on its way back to position 0; cores ignore it.
void send_reset(KernelBuilder& k, int queue);
// Setup at cycle 0, and what runs on every PE when it has finished a kernel: completion gathers in the north-west corner, which passes on
// the start of the next call when the host has sent it.
void emit_control(KernelBuilder& k, int width, int height);

}  // namespace wafersim::workloads
