#pragma once
// The optimizers of MemoryX, in fp32, element by element (workloads/NUMERICS.md, 16 and 17): any split of the store into ranges gives
// the same bits, so a range may be updated as soon as its gradients are known.
//   AdamW (PyTorch's single-tensor form, step t counted from 1):
//     w = w * (1 - lr decay);  m = m beta1 + g (1 - beta1);  v = v beta2 + ((1 - beta2) g) g;
//     w = w + ((-lr / (1 - beta1^t)) m) / (sqrt(v) / sqrt(1 - beta2^t) + eps)
//   SGD: w = w * (1 - lr decay);  w = w - lr g
// Scalars are computed in double and rounded once; the decay applies to tensors of two or more dimensions only.

#include <cstddef>
#include <cstdint>

#include "memoryx/parameter_store.h"

namespace wafersim::memoryx {

struct OptimizerSpec {
  enum class Kind { adamw, sgd };
  Kind kind = Kind::adamw;
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.95;
  double eps = 1e-8;
  double weight_decay = 0.0;
};

// What a whole step's gradients say: their norm (unscaled; fp64 sum in stream order, rounded to fp32) and whether all are finite.
struct GradientSummary {
  float norm = 0.0f;
  bool finite = true;
};
GradientSummary summarize_gradients(const ParameterStore& store, float unscale);

// min(1, clip / (norm + 1e-6)) in fp32; 1 when clip is 0 (no clipping).
float clip_factor(double clip, float norm);

// The scalars of one update, the same for every element.
struct UpdateScalars {
  float unscale = 1.0f;  // 1 / loss scale
  float clip = 1.0f;
  float keep = 1.0f;  // 1 - lr * weight_decay, for decayed tensors
  float beta1 = 0.0f;
  float beta1_rest = 0.0f;
  float beta2 = 0.0f;
  float beta2_rest = 0.0f;
  float bias2_root = 1.0f;  // sqrt(1 - beta2^t)
  float eps = 0.0f;
  float negative_step = 0.0f;  // -lr / (1 - beta1^t), or -lr
};
UpdateScalars update_scalars(const OptimizerSpec& spec, double lr, std::int64_t t, float unscale, float clip);

// Updates the elements begin..end-1 of the store from their gradients.
void update_range(ParameterStore& store, const OptimizerSpec& spec, const UpdateScalars& scalars, std::size_t begin, std::size_t end);

}  // namespace wafersim::memoryx
