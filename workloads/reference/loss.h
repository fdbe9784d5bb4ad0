#pragma once
// Unembedding and softmax cross-entropy over chunks of the vocabulary, forward and backward (workloads/NUMERICS.md 7, 8).

#include <cstdint>
#include <vector>

#include "workloads/reference/linear.h"

namespace wafersim::workloads::reference {

// What the loss knows beside x: the vocabulary and how it is cut, and the target of each token, [sample * sequence + position].
struct LossSetting {
  int vocabulary = 0;
  int outputs_per_pe = 0;  // hv: outputs of a chunk in each column
  const std::vector<std::uint32_t>* targets = nullptr;
};

struct Loss {
  Tiles lse;         // one place, fp32
  float sum = 0.0f;  // of the negative log likelihoods of all tokens, as it leaves the wafer
};

// `weights`, `bias`: of a vocabulary entry, may be empty.
Loss loss(const Layout& layout, const LossSetting& setting, const Tiles& x, const FeatureMap& map, const Weights& weights,
          const Bias& bias);

struct StoreLoss {
  WeightGradients matrix;
  StoreVector bias;
};
// Gradient of x when the loss carries `scale_word` = loss_scale / tokens; `store` gets that of the matrix and of the bias, if any.
Tiles loss_gradient(const Layout& layout, sim::Dtype type, const LossSetting& setting, const Tiles& x, const Tiles& lse,
                    const FeatureMap& map, const Weights& weights, const Bias& bias, float scale_word, const StoreLoss& store);

}  // namespace wafersim::workloads::reference
