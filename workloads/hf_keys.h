#pragma once
// Keys of Hugging Face's config.json, family by family: what transformers calls the numbers of a model, with its defaults, and what would
// change the mathematics.

#include <string>
#include <utility>
#include <vector>

#include "workloads/model_shape.h"

namespace wafersim::workloads {

struct HfKey {
  std::string name;
  double standard = 0;  // transformers' default
  std::string alias;    // a second name that transformers takes
};

struct HfKeys {
  Family family = Family::gpt2;
  std::vector<std::string> architectures;                             // the first is the model with its unembedding
  HfKey layers, width, heads, positions, vocabulary, inner, epsilon;  // inner 0: 4 * width; epsilon without a name is fixed
  std::string activation;                                             // its key
  std::vector<std::pair<std::string, Activation>> activations;        // the first is the default
  bool tied = false;
  std::string initializer = "initializer_range";
  enum class Rotation {
    none,
    features,  // rotary_dim of a head
    fraction,  // rotary_pct of a head
    all,
  };
  Rotation rotation = Rotation::none;
  HfKey rotary_base;                                       // no name: 10000
  std::string kv_heads;                                    // keys that a family may not have: empty
  std::string head_width;                                  // may differ from width / heads
  std::string head_check;                                  // may be given, and is width / heads
  std::string context_check;                               // may be given, and is positions
  std::string width_check;                                 // may be given, and is the width
  std::string token_types;                                 // 2 by default
  std::string mask_token;                                  // the last of the vocabulary by default
  std::vector<std::pair<std::string, std::string>> words;  // the text that they have in the plain model
  std::string parallel;                                    // whether attention and MLP read the same stream, true by default
  std::vector<std::pair<std::string, bool>> flags;         // the value that they have in the plain model
  std::vector<std::string> empty;                          // absent, null or empty in the plain model
  std::vector<std::string> dropout;                        // rates; not applied
  std::vector<std::string> upcast;                         // flags that change rounding in Python, and nothing here
};

HfKeys hf_keys(Family family);
// Keys of any family that say nothing about the mathematics of training, or only about how Python runs it.
std::vector<std::string> inert_hf_keys();

}  // namespace wafersim::workloads
